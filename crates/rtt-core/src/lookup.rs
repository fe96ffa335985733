//! Tables that are only looked into, so that their order shows nowhere. They are hashed quickly, and in every process
//! differently: names come from manifests, and nobody shall choose them so that they collide.

use foldhash::fast::RandomState;

/// What is known of each key.
pub(crate) type Lookup<K, V> = std::collections::HashMap<K, V, RandomState>;

/// Which keys were met.
pub(crate) type Seen<K> = std::collections::HashSet<K, RandomState>;

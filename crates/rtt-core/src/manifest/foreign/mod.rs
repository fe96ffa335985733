//! Foreign forms of manifests, one module each, each mapping into the canonical manifest.

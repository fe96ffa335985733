//! Stage 50: a verified plan → the active routes.

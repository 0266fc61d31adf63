//! End-to-end tests; see `window/`.

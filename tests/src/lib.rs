//! What must hold for the whole.

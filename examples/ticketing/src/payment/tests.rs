//! What this slice does, as sentences.

//! The gateway binary

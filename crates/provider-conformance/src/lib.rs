//! The behaviour suite that every backend must pass

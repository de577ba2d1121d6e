//! An in-process server whose every line the test writes.

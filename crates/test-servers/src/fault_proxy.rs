//! A TCP proxy on loopback that can be told to misbehave.

//! End-to-end tests of the gateway against real servers.

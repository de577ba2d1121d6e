//! Real mail and database servers for the tests, started on free loopback ports in temporary directories

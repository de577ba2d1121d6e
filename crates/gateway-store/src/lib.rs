//! What the gateway keeps: the Store trait, its records and the sealing of secrets

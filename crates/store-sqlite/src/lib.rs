//! The store on SQLite

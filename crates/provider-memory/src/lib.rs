//! A mailbox in memory: reference for plugin authors, sample mailbox, simulator

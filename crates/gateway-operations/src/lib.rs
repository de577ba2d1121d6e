//! What the gateway does, without HTTP and without SQL

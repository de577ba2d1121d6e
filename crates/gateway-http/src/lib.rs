//! The REST API: routes, extractors, wire shapes, errors, OpenAPI

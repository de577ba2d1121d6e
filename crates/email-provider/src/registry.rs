use std::sync::Arc;

use crate::ProviderPlugin;

/// The backends of this gateway. A kind is text looked up here, never an enum.
#[derive(Clone, Debug, Default)]
pub struct ProviderRegistry {
    plugins: Vec<Arc<dyn ProviderPlugin>>,
}

impl ProviderRegistry {
    /// Adds a backend. A later one of the same kind or service type is not found.
    pub fn register(mut self, plugin: impl ProviderPlugin + 'static) -> Self {
        self.plugins.push(Arc::new(plugin));
        self
    }

    /// All of them.
    pub fn plugins(&self) -> impl Iterator<Item = &Arc<dyn ProviderPlugin>> {
        self.plugins.iter()
    }

    /// The backend of this kind.
    pub fn by_kind(&self, kind: &str) -> Option<Arc<dyn ProviderPlugin>> {
        self.plugins.iter().find(|p| p.info().kind == kind).cloned()
    }

    /// The backend that serves this service type, as clients name it.
    pub fn by_service_type(&self, name: &str) -> Option<Arc<dyn ProviderPlugin>> {
        self.plugins
            .iter()
            .find(|p| p.info().service_types.iter().any(|s| s.name == name))
            .cloned()
    }

    /// Names of all service types.
    pub fn service_types(&self) -> Vec<&'static str> {
        self.plugins
            .iter()
            .flat_map(|p| p.info().service_types)
            .map(|s| s.name)
            .collect()
    }
}

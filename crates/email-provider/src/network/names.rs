use std::{fmt::Debug, net::IpAddr};

use async_trait::async_trait;
use hickory_resolver::{
    TokioResolver,
    config::{LookupIpStrategy, ResolverOpts},
};

use super::ServiceRecord;

/// Looks names up. Handed in, so that tests decide what a name means from one look to the next.
#[async_trait]
pub trait NameLookup: Send + Sync + Debug {
    /// All addresses of a name; none where there are none or nobody answers.
    async fn addresses(&self, name: &str) -> Vec<IpAddr>;

    /// SRV records, best first; none where there are none or nobody answers.
    async fn services(&self, name: &str) -> Vec<ServiceRecord>;
}

/// Lookups as this machine is configured to make them.
#[derive(Clone, Debug)]
pub struct SystemNames {
    /// `None` where the machine's configuration cannot be read: then the C library is asked, which
    /// knows no SRV records.
    resolver: Option<TokioResolver>,
}

impl SystemNames {
    /// Most records taken from one answer.
    const MOST: usize = 16;

    /// Reads the machine's configuration.
    pub fn new() -> Self {
        let resolver = match TokioResolver::builder_tokio() {
            Ok(mut builder) => {
                configure(builder.options_mut());
                Some(builder.build())
            }
            Err(error) => {
                tracing::warn!(%error, "the DNS configuration cannot be read: no SRV lookups");
                None
            }
        };
        Self { resolver }
    }
}

impl Default for SystemNames {
    fn default() -> Self {
        Self::new()
    }
}

fn configure(options: &mut ResolverOpts) {
    // Every address of a name counts when it is decided whether the host is internal.
    options.ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
}

#[async_trait]
impl NameLookup for SystemNames {
    async fn addresses(&self, name: &str) -> Vec<IpAddr> {
        match &self.resolver {
            Some(resolver) => match resolver.lookup_ip(name).await {
                Ok(found) => found.iter().take(Self::MOST).collect(),
                Err(_) => Vec::new(),
            },
            None => match tokio::net::lookup_host((name, 0)).await {
                Ok(found) => found.map(|address| address.ip()).take(Self::MOST).collect(),
                Err(_) => Vec::new(),
            },
        }
    }

    async fn services(&self, name: &str) -> Vec<ServiceRecord> {
        let Some(resolver) = &self.resolver else {
            return Vec::new();
        };
        let Ok(found) = resolver.srv_lookup(name).await else {
            return Vec::new();
        };
        let mut records: Vec<_> = found.iter().take(Self::MOST).collect();
        records.sort_by_key(|record| (record.priority(), std::cmp::Reverse(record.weight())));
        records
            .into_iter()
            .filter(|record| !record.target().is_root()) // "decidedly not available" (RFC 2782)
            .map(|record| ServiceRecord {
                host: record
                    .target()
                    .to_ascii()
                    .trim_end_matches('.')
                    .to_ascii_lowercase(),
                port: record.port(),
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn this_machine_is_found_by_its_usual_name() {
        let found = SystemNames::new().addresses("localhost").await;
        assert!(
            !found.is_empty() && found.iter().all(IpAddr::is_loopback),
            "{found:?}"
        );
    }
}

//! A throwaway certificate authority and a server certificate for loopback.

use std::sync::Arc;

use anyhow::Result;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore, ServerConfig};

/// A certificate authority and one server certificate for `localhost`, `mail.test` and `127.0.0.1`.
#[derive(Debug, Clone)]
pub struct TestCertificate {
    /// The authority, for clients to trust (PEM).
    pub ca_pem: String,
    /// The server's certificate followed by the authority's (PEM).
    pub chain_pem: String,
    /// The server's private key (PEM, PKCS #8).
    pub key_pem: String,
}

impl TestCertificate {
    /// Makes both keys and signs.
    ///
    /// # Errors
    /// When the random source fails.
    pub fn generate() -> Result<Self> {
        let ca_key = KeyPair::generate()?;
        let mut ca = CertificateParams::default();
        ca.distinguished_name
            .push(DnType::CommonName, "Throwaway test authority");
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let ca_certificate = ca.self_signed(&ca_key)?;
        let issuer = Issuer::new(ca, ca_key);

        let key = KeyPair::generate()?;
        let names = ["localhost", "mail.test", "127.0.0.1"].map(String::from);
        let mut server = CertificateParams::new(names)?;
        server
            .distinguished_name
            .push(DnType::CommonName, "localhost");
        server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let certificate = server.signed_by(&key, &issuer)?;
        let ca_pem = ca_certificate.pem();
        Ok(Self {
            chain_pem: format!("{}{ca_pem}", certificate.pem()),
            key_pem: key.serialize_pem(),
            ca_pem,
        })
    }

    /// A client configuration that trusts this authority alone.
    ///
    /// # Errors
    /// When the PEM text is not a certificate.
    pub fn client_config(&self) -> Result<Arc<ClientConfig>> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(self.ca_pem.as_bytes())?)?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Arc::new(config))
    }

    /// A server configuration for in-process servers.
    ///
    /// # Errors
    /// When the PEM text is not a certificate and its key.
    pub fn server_config(&self) -> Result<Arc<ServerConfig>> {
        let chain = CertificateDer::pem_slice_iter(self.chain_pem.as_bytes())
            .collect::<Result<Vec<_>, _>>()?;
        let key = PrivateKeyDer::from_pem_slice(self.key_pem.as_bytes())?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, key)?;
        Ok(Arc::new(config))
    }
}

//! TLS by rustls and ring; TLS 1.2 or newer; server name and certificate checked.

use std::sync::{Arc, OnceLock};

use rustls::{
    ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
};
use tokio_rustls::TlsConnector;

use super::{
    config::ImapConfig,
    error::{Error, Result},
    tap::Stream,
};

/// Makes connections secure, in the way that an account demands.
#[derive(Clone)]
pub struct Tls(TlsConnector);

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tls")
    }
}

impl Tls {
    /// For this account. Accounts that trust the machine's authorities share one configuration, and so do those that
    /// take any certificate: each has room of its own for sessions to be resumed.
    ///
    /// # Errors
    /// When the account's own authorities cannot be read, or the machine has none.
    pub fn new(config: &ImapConfig) -> Result<Self> {
        static SYSTEM: OnceLock<Arc<ClientConfig>> = OnceLock::new();
        static ANY: OnceLock<Arc<ClientConfig>> = OnceLock::new();
        let client = match (&config.ca_pem, config.trust_server) {
            (_, true) => shared(&ANY, any_certificate)?,
            (Some(pem), false) => trusting(authorities(pem)?)?,
            (None, false) => shared(&SYSTEM, || trusting(machine_authorities()?))?,
        };
        Ok(Self(TlsConnector::from(client)))
    }

    /// The handshake.
    pub(crate) async fn connect(
        &self,
        host: &str,
        stream: Box<dyn Stream>,
    ) -> Result<Box<dyn Stream>> {
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| Error::Tls("not a host name".into()))?;
        match self.0.connect(name, stream).await {
            Ok(stream) => Ok(Box::new(stream)),
            Err(error) => Err(Error::Tls(error.to_string())),
        }
    }
}

fn shared(
    place: &OnceLock<Arc<ClientConfig>>,
    make: impl FnOnce() -> Result<Arc<ClientConfig>>,
) -> Result<Arc<ClientConfig>> {
    match place.get() {
        Some(client) => Ok(client.clone()),
        None => {
            let client = make()?;
            Ok(place.get_or_init(|| client).clone())
        }
    }
}

fn machine_authorities() -> Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    match roots.is_empty() {
        true => Err(Error::Tls(
            "this machine trusts no certificate authority".into(),
        )),
        false => Ok(roots),
    }
}

fn authorities(pem: &str) -> Result<RootCertStore> {
    let unreadable = || Error::Invalid("the certificate authority is not readable as PEM".into());
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        let certificate = certificate.map_err(|_| unreadable())?;
        roots.add(certificate).map_err(|_| unreadable())?;
    }
    if roots.is_empty() {
        Err(unreadable())
    } else {
        Ok(roots)
    }
}

fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: OnceLock<Arc<CryptoProvider>> = OnceLock::new();
    PROVIDER
        .get_or_init(|| Arc::new(ring::default_provider()))
        .clone()
}

fn trusting(roots: RootCertStore) -> Result<Arc<ClientConfig>> {
    let builder =
        ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| Error::Tls(error.to_string()))?;
    Ok(Arc::new(
        builder.with_root_certificates(roots).with_no_client_auth(),
    ))
}

fn any_certificate() -> Result<Arc<ClientConfig>> {
    let builder =
        ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| Error::Tls(error.to_string()))?;
    let verifier = Arc::new(AnyCertificate(provider()));
    Ok(Arc::new(
        builder
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth(),
    ))
}

/// Takes any certificate, but still makes the server prove that it holds the key of it.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> std::result::Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(
            message,
            certificate,
            signature,
            &self.0.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(
            message,
            certificate,
            signature,
            &self.0.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

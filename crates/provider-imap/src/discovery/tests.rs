use std::{collections::BTreeMap, net::SocketAddr, sync::Arc};

use async_trait::async_trait;
use email_provider::{
    SystemClock,
    network::{Network, NetworkError, ServiceRecord},
};
use test_servers::TestCertificate;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::settings::{Protocol, ServerSecurity};

/// A part of the internet.
#[derive(Debug, Default)]
struct Internet {
    records: BTreeMap<String, Vec<ServiceRecord>>,
    addresses: BTreeMap<String, SocketAddr>,
}

#[async_trait]
impl Network for Internet {
    async fn connect(&self, _: &str, _: u16) -> Result<TcpStream, NetworkError> {
        Err(NetworkError::Unreachable)
    }
    async fn resolve(&self, host: &str, _: u16) -> Result<Vec<SocketAddr>, NetworkError> {
        let address = self.addresses.get(host);
        address
            .map(|address| vec![*address])
            .ok_or(NetworkError::Unreachable)
    }
    async fn services(&self, name: &str) -> Vec<ServiceRecord> {
        self.records.get(name).cloned().unwrap_or_default()
    }
    async fn is_operator_allowed(&self, _: &str) -> bool {
        false
    }
}

impl Internet {
    fn with(mut self, name: &str, host: &str, port: u16) -> Self {
        let host = host.to_owned();
        let records = self.records.entry(format!("{name}._tcp.firm.internal"));
        records.or_default().push(ServiceRecord { host, port });
        self
    }

    fn context(self) -> ConnectContext {
        ConnectContext {
            public_url: None,
            network: Arc::new(self),
            clock: Arc::new(SystemClock),
            config: serde_json::Value::Null,
            tokens: None,
            budget: None,
        }
    }
}

async fn found(internet: Internet) -> Result<Found, SignInError> {
    let context = internet.context();
    discovery(&context)
        .servers("IMAP", "ann@firm.internal")
        .await
}

fn discovery(context: &ConnectContext) -> Discovery<'_> {
    Discovery {
        context,
        authorities: None,
    }
}

fn refusal(found: Result<Found, SignInError>) -> String {
    match found {
        Err(SignInError::Invalid(why)) => why,
        other => panic!("{other:?}"),
    }
}

fn server(host: &str, port: u16, security: ServerSecurity) -> Server {
    Server {
        host: host.into(),
        port,
        security,
    }
}

#[tokio::test]
async fn records_name_both_servers() {
    let internet = Internet::default()
        .with("_imaps", "mail.firm.internal.", 993)
        .with("_submissions", "mail.firm.internal", 465);
    let found = found(internet).await.unwrap();
    assert_eq!(found.imap, Protocol::Imap.tls("mail.firm.internal"));
    assert_eq!(found.smtp, Some(Protocol::Smtp.tls("mail.firm.internal")));
    assert_eq!(found.login, "ann@firm.internal");
}

#[tokio::test]
async fn records_of_starttls_are_taken_where_there_are_no_others() {
    let internet = Internet::default()
        .with("_imaps", ".", 0)
        .with("_imap", "in.firm.internal", 1143)
        .with("_submission", "out.firm.internal", 587);
    let found = found(internet).await.unwrap();
    let start_tls = ServerSecurity::StartTls;
    assert_eq!(found.imap, server("in.firm.internal", 1143, start_tls));
    assert_eq!(
        found.smtp,
        Some(server("out.firm.internal", 587, start_tls))
    );
}

#[tokio::test]
async fn a_record_that_points_elsewhere_is_not_believed() {
    for host in [
        "mail.evil.internal",
        "evilfirm.internal",
        "firm.internal.evil.internal",
    ] {
        let why = refusal(found(Internet::default().with("_imaps", host, 993)).await);
        assert!(
            why.contains("serverUrl is needed") && why.contains(host),
            "{why}"
        );
    }
    let odd = Internet::default().with("_imaps", "x\r\nevil", 993);
    let why = refusal(found(odd).await);
    assert!(!why.contains("evil"), "{why}");
}

#[tokio::test]
async fn a_record_that_points_elsewhere_leaves_what_is_of_the_domain() {
    let internet = Internet::default()
        .with("_imaps", "mail.evil.internal", 993)
        .with("_imaps", "second.firm.internal", 993)
        .with("_submissions", "mail.evil.internal", 465);
    let found = found(internet).await.unwrap();
    assert_eq!(found.imap.host, "second.firm.internal");
    assert_eq!(found.smtp, None);
}

#[tokio::test]
async fn a_record_may_point_to_a_server_of_the_table() {
    let internet = Internet::default().with("_imaps", "imap.fastmail.com", 993);
    let found = found(internet).await.unwrap();
    assert_eq!(found.imap.host, "imap.fastmail.com");
    assert_eq!(found.smtp.unwrap().host, "smtp.fastmail.com");
}

#[tokio::test]
async fn the_sending_server_is_found_where_the_reading_one_is_given() {
    let internet = Internet::default().with("_submission", "out.firm.internal", 587);
    let context = internet.context();
    let given = Protocol::Imap.tls("in.firm.internal");
    let smtp = discovery(&context).sending_server(&given, "ann@firm.internal");
    assert_eq!(
        smtp.await,
        Some(Protocol::Smtp.start_tls("out.firm.internal"))
    );
    let nowhere = discovery(&context).sending_server(&given, "ann");
    assert_eq!(nowhere.await, None);
}

#[test]
fn nothing_is_looked_for_under_names_of_no_domain() {
    for domain in [
        "x.test",
        "example.org",
        "EXAMPLE.com.",
        "localhost",
        "printer.local",
    ] {
        assert!(!is_in_use(domain), "{domain}");
    }
    for domain in ["example.de", "firm.internal", "my-example.org"] {
        assert!(is_in_use(domain), "{domain}");
    }
}

const FILE: &str = r#"<clientConfig version="1.1"><emailProvider id="x">
    <incomingServer type="imap"><hostname>imap.host.internal</hostname><port>993</port><socketType>SSL</socketType></incomingServer>
    <outgoingServer type="smtp"><hostname>smtp.host.internal</hostname><port>587</port><socketType>STARTTLS</socketType></outgoingServer>
    </emailProvider></clientConfig>"#;

/// Answers every request over HTTPS for `localhost` and `mail.test`.
async fn web(certificate: &TestCertificate, answer: &'static str) -> SocketAddr {
    rustls::crypto::ring::default_provider()
        .install_default()
        .ok();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let tls = TlsAcceptor::from(certificate.server_config().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let tls = tls.clone();
            tokio::spawn(async move {
                let Ok(mut stream) = tls.accept(stream).await else {
                    return;
                };
                let mut request = [0; 4096];
                let _ = stream.read(&mut request).await;
                let _ = stream.write_all(answer.as_bytes()).await;
                let _ = stream.shutdown().await;
            });
        }
    });
    address
}

/// Looks for the servers of `ann@mail.test`, whose web server gives this answer.
async fn in_file(
    answer: &'static str,
    is_trusted: bool,
    internet: Internet,
) -> Result<Found, SignInError> {
    let certificate = TestCertificate::generate().unwrap();
    let trusted = match is_trusted {
        true => certificate.clone(),
        false => TestCertificate::generate().unwrap(),
    };
    let mut internet = internet;
    let address = web(&certificate, answer).await;
    internet.addresses.insert("mail.test".to_owned(), address);
    let context = internet.context();
    let discovery = Discovery {
        context: &context,
        authorities: Some(&trusted.ca_pem),
    };
    discovery.servers("IMAP", "ann@mail.test").await
}

fn page(head: &str) -> &'static str {
    let page = format!("HTTP/1.1 {head}\r\nConnection: close\r\n\r\n{FILE}");
    Box::leak(page.into_boxed_str())
}

#[tokio::test]
async fn the_domains_own_file_names_servers_anywhere() {
    let found = in_file(page("200 OK"), true, Internet::default())
        .await
        .unwrap();
    assert_eq!(found.imap, Protocol::Imap.tls("imap.host.internal"));
    assert_eq!(
        found.smtp,
        Some(Protocol::Smtp.start_tls("smtp.host.internal"))
    );
}

#[tokio::test]
async fn a_file_that_nobody_vouches_for_is_not_read() {
    for (answer, is_trusted) in [
        (page("200 OK"), false),
        (page("302 Found\r\nLocation: https://mail.test/else"), true),
        (page("404 Not Found"), true),
    ] {
        let why = refusal(in_file(answer, is_trusted, Internet::default()).await);
        assert!(why.contains("serverUrl is needed"), "{why}");
    }
}

#[tokio::test]
async fn the_file_names_the_sending_server_that_no_record_names() {
    let mut internet = Internet::default();
    let record = ServiceRecord {
        host: "in.mail.test".to_owned(),
        port: 993,
    };
    let name = "_imaps._tcp.mail.test".to_owned();
    internet.records.insert(name, vec![record]);
    let found = in_file(page("200 OK"), true, internet).await.unwrap();
    assert_eq!(found.imap.host, "in.mail.test");
    assert_eq!(found.smtp.unwrap().host, "smtp.host.internal");
}

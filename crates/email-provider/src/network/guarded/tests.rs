use std::{
    collections::{HashMap, VecDeque},
    sync::Mutex,
};

use tokio::net::TcpListener;

use super::*;

/// Answers each lookup of a name with the next of its answers, the last one for ever.
#[derive(Debug, Default)]
struct Script(Mutex<HashMap<String, VecDeque<Vec<IpAddr>>>>);

impl Script {
    fn with(self, name: &str, answers: &[&[&str]]) -> Self {
        let parsed = answers
            .iter()
            .map(|answer| answer.iter().map(|ip| ip.parse().unwrap()).collect())
            .collect();
        self.0.lock().unwrap().insert(name.to_owned(), parsed);
        self
    }
}

#[async_trait]
impl NameLookup for Script {
    async fn addresses(&self, name: &str) -> Vec<IpAddr> {
        let mut script = self.0.lock().unwrap();
        let Some(answers) = script.get_mut(name) else {
            return Vec::new();
        };
        if answers.len() > 1 {
            answers.pop_front().unwrap()
        } else {
            answers[0].clone()
        }
    }

    async fn services(&self, _name: &str) -> Vec<ServiceRecord> {
        let record = |host: &str| ServiceRecord {
            host: host.to_owned(),
            port: 993,
        };
        vec![
            record("imap.example.com"),
            record("bad host"),
            record("127.1"),
        ]
    }
}

fn guarded(allow: &[&str], names: Script) -> GuardedNetwork {
    let allow = allow.iter().map(|net| net.parse().unwrap()).collect();
    let options = GuardOptions {
        connect_timeout: Duration::from_secs(2),
        ..Default::default()
    };
    GuardedNetwork::with_names(allow, options, Arc::new(names))
}

async fn resolved(
    network: &GuardedNetwork,
    host: &str,
    port: u16,
) -> Result<Vec<String>, NetworkError> {
    let found = network.resolve(host, port).await?;
    Ok(found.iter().map(ToString::to_string).collect())
}

#[tokio::test]
async fn internal_and_metadata_addresses_are_refused() {
    let network = guarded(&[], Script::default());
    for host in [
        "127.0.0.1",
        "[::1]",
        "10.1.2.3",
        "169.254.169.254",
        "[fd00:ec2::254]",
        "168.63.129.16",
        "100.100.100.200",
        "192.0.0.192",
        "[::ffff:127.0.0.1]",
        "[64:ff9b::a9fe:a9fe]",
    ] {
        assert_eq!(
            resolved(&network, host, 993).await,
            Err(NetworkError::Forbidden),
            "{host}"
        );
    }
}

#[tokio::test]
async fn of_several_addresses_only_the_allowed_ones_are_used() {
    let names = Script::default().with("mixed.example", &[&["10.0.0.1", "9.9.9.9", "::1"]]);
    let network = guarded(&[], names);
    assert_eq!(
        resolved(&network, "mixed.example", 993).await,
        Ok(vec!["9.9.9.9:993".to_owned()])
    );
}

#[tokio::test]
async fn a_name_that_turns_internal_after_a_first_look_is_refused_when_connecting() {
    let names = Script::default().with("rebind.example", &[&["9.9.9.9"], &["127.0.0.1"]]);
    let network = guarded(&[], names);
    assert!(network.resolve("rebind.example", 993).await.is_ok());
    assert_eq!(
        network.connect("rebind.example", 993).await.unwrap_err(),
        NetworkError::Forbidden
    );
}

#[tokio::test]
async fn an_unknown_name_is_unreachable_and_an_odd_one_is_refused() {
    let network = guarded(&[], Script::default());
    assert_eq!(
        resolved(&network, "nowhere.example", 993).await,
        Err(NetworkError::Unreachable)
    );
    for host in ["2130706433", "0177.0.0.1", "a@b", "h:25"] {
        assert_eq!(
            resolved(&network, host, 993).await,
            Err(NetworkError::Forbidden),
            "{host}"
        );
    }
}

#[tokio::test]
async fn public_addresses_are_open_only_on_the_ports_of_mail_and_web() {
    let network = guarded(&[], Script::default());
    for port in [993, 143, 465, 587, 443, 80, 8443] {
        assert!(network.resolve("9.9.9.9", port).await.is_ok(), "{port}");
    }
    for port in [0, 22, 25, 6379, 65535] {
        let answer = resolved(&network, "9.9.9.9", port).await;
        assert_eq!(answer, Err(NetworkError::Forbidden), "{port}");
    }
}

#[tokio::test]
async fn the_operators_networks_are_open_on_every_port_but_zero() {
    let network = guarded(&["10.1.0.0/16", "fd12::/16"], Script::default());
    assert!(network.resolve("10.1.2.3", 10143).await.is_ok());
    assert!(network.resolve("[::ffff:10.1.2.3]", 10143).await.is_ok());
    assert!(network.resolve("[fd12::9]", 10143).await.is_ok());
    assert!(network.resolve("10.1.2.3", 0).await.is_err());
    assert!(network.resolve("10.2.0.1", 993).await.is_err());
}

#[tokio::test]
async fn a_metadata_address_needs_an_entry_of_its_own() {
    let wide = guarded(&["0.0.0.0/0", "::/0", "169.254.0.0/16"], Script::default());
    for host in [
        "169.254.169.254",
        "[::ffff:169.254.169.254]",
        "[64:ff9b::a9fe:a9fe]",
        "[fd00:ec2::254]",
    ] {
        assert_eq!(
            resolved(&wide, host, 80).await,
            Err(NetworkError::Forbidden),
            "{host}"
        );
    }
    let exact = guarded(&["169.254.169.254/32"], Script::default());
    assert!(exact.resolve("169.254.169.254", 80).await.is_ok());
}

#[tokio::test]
async fn a_host_is_the_operators_only_with_all_its_addresses() {
    let names = Script::default()
        .with("inside.example", &[&["10.1.0.1", "10.1.0.2"]])
        .with("half.example", &[&["10.1.0.1", "9.9.9.9"]]);
    let network = guarded(&["10.1.0.0/16"], names);
    assert!(network.is_operator_allowed("inside.example").await);
    assert!(!network.is_operator_allowed("half.example").await);
    assert!(!network.is_operator_allowed("nowhere.example").await);
    assert!(!network.is_operator_allowed("9.9.9.9").await);
}

#[tokio::test]
async fn a_connection_goes_to_the_checked_address_without_delay() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    // The first address refuses; the next one is tried.
    let names = Script::default().with("mail.example", &[&["127.0.0.2", "127.0.0.1"]]);
    let network = guarded(&["127.0.0.0/8"], names);
    let stream = network.connect("mail.example", port).await.unwrap();
    assert_eq!(stream.peer_addr().unwrap(), listener.local_addr().unwrap());
    assert!(stream.nodelay().unwrap());
}

#[tokio::test]
async fn service_records_with_odd_hosts_are_left_out() {
    let network = guarded(&[], Script::default());
    let found = network.services("_imaps._tcp.example.com").await;
    assert_eq!(
        found,
        [ServiceRecord {
            host: "imap.example.com".to_owned(),
            port: 993
        }]
    );
}

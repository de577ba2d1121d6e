use std::io::Write as _;

use secrecy::ExposeSecret as _;

use super::*;

const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

fn load(file: &str, environment: &[(&str, &str)]) -> anyhow::Result<Config> {
    let mut named = tempfile::NamedTempFile::new().unwrap();
    named.write_all(file.as_bytes()).unwrap();
    let environment = environment
        .iter()
        .map(|(name, value)| (OsString::from(name), OsString::from(value)));
    let words = BackendWords::of(&crate::providers::registry());
    Config::load(Some(named.path()), environment, &words)
}

fn refusal(file: &str, environment: &[(&str, &str)]) -> String {
    format!("{:#}", load(file, environment).unwrap_err())
}

#[test]
fn without_file_and_environment_everything_has_a_default() {
    let config = Config::load(None, [], &BackendWords::default()).unwrap();
    assert_eq!(config.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(
        config.operations().tombstones,
        Duration::from_secs(90 * 24 * 3600)
    );
    assert!(config.metrics_listen.is_none() && config.allow_hosts.is_empty());
}

#[test]
fn the_environment_wins_over_the_file() {
    let file = "listen = '127.0.0.1:1'\ncache = 'ids'\n[sync]\npass_wait = '1s'\nfreshness = '2s'";
    let environment = [
        ("POLYPOST_LISTEN", "[::]:80"),
        ("POLYPOST_SYNC__PASS_WAIT", "250ms"),
        ("UNRELATED", "x"),
    ];
    let config = load(file, &environment).unwrap();
    assert_eq!(config.listen.to_string(), "[::]:80");
    assert_eq!(config.cache, CacheMode::Ids);
    assert_eq!(config.sync.pass_wait, Duration::from_millis(250));
    assert_eq!(config.sync.freshness, Duration::from_secs(2));
}

#[test]
fn every_kind_of_value_can_be_written_as_text() {
    let environment = [
        ("POLYPOST_LIMITS__REQUESTS", "7"),
        ("POLYPOST_SYNC__PUSH", "false"),
        ("POLYPOST_ALLOW_HOSTS", "10.0.0.0/8, fd00::/8"),
        ("POLYPOST_LOG_FORMAT", "json"),
        ("POLYPOST_CLIENT_ID", "12345"),
        ("POLYPOST_CLIENT_SECRET", "0123"),
        ("POLYPOST_PROVIDERS__IMAP__CONNECTIONS", "3"),
        ("POLYPOST_PROVIDERS__IMAP__NAME", "3 x"),
    ];
    let config = load("", &environment).unwrap();
    assert_eq!(config.limits.requests, 7);
    assert!(!config.sync.push);
    assert_eq!(config.allow_hosts.len(), 2);
    assert_eq!(config.log_format, LogFormat::Json);
    assert_eq!(config.client_id.unwrap(), "12345");
    assert_eq!(config.client_secret.unwrap().expose_secret(), "0123");
    let imap = &config.providers["imap"];
    assert_eq!(
        imap,
        &serde_json::json!({ "connections": 3, "name": "3 x" })
    );
}

#[test]
fn values_have_their_own_type_in_a_file() {
    let file = "allow_hosts = ['10.0.0.0/8']\n[limits]\nrequests = 7\n[sync]\npush = false\n\
                [providers.imap]\nconnections = 3";
    let config = load(file, &[]).unwrap();
    assert_eq!(config.allow_hosts.len(), 1);
    assert_eq!((config.limits.requests, config.sync.push), (7, false));
    assert_eq!(config.providers["imap"]["connections"], 3);
}

#[test]
fn a_name_that_is_not_known_is_told() {
    let refused = refusal("lisen = 'x'", &[]);
    assert!(refused.contains("lisen"), "{refused}");
    let refused = refusal("[sync]\nwait = 'x'", &[]);
    assert!(
        refused.contains("wait") && refused.contains("sync"),
        "{refused}"
    );
    let refused = refusal("", &[("POLYPOST_LISEN", "x")]);
    assert!(
        refused.to_lowercase().contains("polypost_lisen"),
        "{refused}"
    );
    let refused = refusal("", &[("POLYPOST_SYNC__WAIT", "x")]);
    assert!(refused.to_lowercase().contains("wait"), "{refused}");
}

#[test]
fn a_value_that_makes_no_sense_is_told_with_its_name() {
    let refused = refusal("", &[("POLYPOST_LISTEN", "nowhere")]);
    assert!(refused.contains("POLYPOST_LISTEN"), "{refused}");
    let refused = refusal("[sync]\ntombstones = '29days'", &[]);
    assert!(refused.contains("sync.tombstones"), "{refused}");
    let refused = refusal("log = 'a=b=c'", &[]);
    assert!(refused.contains("log"), "{refused}");
    let refused = refusal("client_id = 'app'", &[]);
    assert!(refused.contains("client_secret"), "{refused}");
}

#[test]
fn empty_variables_and_those_of_kubernetes_are_passed_over() {
    let environment = [
        ("POLYPOST_CLIENT_ID", ""),
        ("POLYPOST_PORT", "tcp://10.0.0.1:8080"),
        ("POLYPOST_PORT_8080_TCP_ADDR", "10.0.0.1"),
        ("POLYPOST_SERVICE_HOST", "10.0.0.1"),
        ("POLYPOST_SERVICE_PORT_HTTP", "8080"),
        ("POLYPOST_DB_PORT_5432_TCP", "tcp://10.0.0.2:5432"),
        ("POLYPOST_TEST_PEERS", "/opt"),
    ];
    assert!(load("", &environment).unwrap().client_id.is_none());
}

#[test]
fn a_secret_is_never_shown() {
    let environment = [
        ("POLYPOST_SECRET_KEY", KEY),
        ("POLYPOST_CLIENT_ID", "app"),
        ("POLYPOST_CLIENT_SECRET", "hunter2"),
        ("POLYPOST_DATABASE_URL", "postgres://u:hunter2@h/d"),
    ];
    let shown = format!("{:?}", load("", &environment).unwrap());
    assert!(
        !shown.contains("hunter2") && !shown.contains("000102"),
        "{shown}"
    );
}

#[test]
fn a_refusal_does_not_tell_a_secret() {
    for file in [
        "secret_key = 'hunter2'",
        "client_secret = 4711",
        "database_url = ['hunter2', 4711]",
        "client_secret = 'hunter2 4711",
        "client_secret = hunter2 4711",
    ] {
        let refused = refusal(file, &[]);
        assert!(
            !refused.contains("hunter2") && !refused.contains("4711"),
            "{refused}"
        );
    }
}

#[test]
fn a_backend_has_a_word_of_its_own_in_the_environment() {
    let mut secret = tempfile::NamedTempFile::new().unwrap();
    writeln!(secret, "0123").unwrap();
    let secret = secret.path().to_str().unwrap();
    let environment = [
        ("POLYPOST_IMAP_KEEP_SECONDS", "7"),
        ("POLYPOST_IMAP_CA_FILE", "/etc/ca.pem"),
        ("POLYPOST_IMAP_CLIENT_ID", "4711"),
        ("POLYPOST_IMAP_CLIENT_SECRET_FILE", secret),
        ("POLYPOST_PROVIDERS__IMAP__BULK_CONNECTIONS", "2"),
    ];
    let config = load(
        "[providers.imap]\nkeep_seconds = 9\nname = 'x'",
        &environment,
    )
    .unwrap();
    let expected = serde_json::json!({
        "keep_seconds": 7, "ca_file": "/etc/ca.pem", "client_id": "4711", "client_secret": "0123",
        "bulk_connections": 2, "name": "x",
    });
    assert_eq!(config.providers["imap"], expected);
    let refused = refusal("", &[("POLYPOST_IMAP__X", "1")]);
    assert!(refused.to_lowercase().contains("imap"), "{refused}");
}

#[test]
fn a_backend_with_two_words_takes_its_settings_by_either() {
    let environment = [
        ("POLYPOST_GRAPH_URL", "https://graph.example/"),
        ("POLYPOST_MICROSOFT_CLIENT_ID", "4711"),
    ];
    let config = load("", &environment).unwrap();
    let expected = serde_json::json!({"url": "https://graph.example/", "client_id": "4711"});
    assert_eq!(config.providers["graph"], expected);
}

#[test]
fn browsers_are_told_of_the_public_url_and_of_nothing_else() {
    let address: SocketAddr = "127.0.0.1:1234".parse().unwrap();
    let url = |file: &str| {
        let options = load(file, &[]).unwrap().http(address).unwrap();
        options.public_url.to_string()
    };
    assert_eq!(url(""), "http://127.0.0.1:1234/");
    assert_eq!(
        url("public_url = 'https://x.example/mail'"),
        "https://x.example/mail"
    );
}

#[test]
fn nobody_is_sent_to_an_address_to_listen_on() {
    let config = load("", &[]).unwrap();
    for (listening, url) in [
        ("0.0.0.0:8080", "http://localhost:8080"),
        ("[::]:80", "http://localhost:80"),
        ("[::ffff:0.0.0.0]:80", "http://localhost:80"),
        ("[::1]:80", "http://[::1]:80"),
        ("192.0.2.1:80", "http://192.0.2.1:80"),
    ] {
        assert_eq!(config.base_url(listening.parse().unwrap()), url);
    }
    for url in ["http://0.0.0.0:8080", "https://[::]/", "http://0/"] {
        let refused = refusal("", &[("POLYPOST_PUBLIC_URL", url)]);
        assert!(refused.contains("public_url"), "{refused}");
    }
}

#[test]
fn the_compose_file_gives_settings_that_there_are() {
    let file = include_str!("../../../../docker-compose.yml");
    let lines = file.lines().filter_map(|line| {
        let (name, value) = line.trim().split_once(':')?;
        Some((name.strip_prefix("POLYPOST_")?, value.trim()))
    });
    let lines: Vec<(&str, &str)> = lines.collect();
    let names: Vec<&str> = lines.iter().map(|(name, _)| *name).collect();
    for needed in [
        "RETURN_URLS",
        "GOOGLE_CLIENT_ID",
        "GOOGLE_CLIENT_SECRET",
        "MICROSOFT_CLIENT_ID",
        "MICROSOFT_CLIENT_SECRET",
    ] {
        assert!(names.contains(&needed), "{needed}");
    }
    let url = lines
        .iter()
        .find(|(name, _)| *name == "PUBLIC_URL")
        .unwrap();
    assert_eq!(url.1, "${POLYPOST_PUBLIC_URL:-http://localhost:8080}");
    // A value for each, as if all were given.
    let given = names.iter().map(|name| {
        let value = match *name {
            "SECRET_KEY" => KEY,
            "PUBLIC_URL" | "RETURN_URLS" => "https://app.example/",
            "DATABASE_URL" => "postgres://polypost@postgres/polypost",
            "ALLOW_HOSTS" | "TRUSTED_PROXIES" => "10.0.0.0/8",
            _ => "x",
        };
        (format!("POLYPOST_{name}"), value)
    });
    let given: Vec<(String, &str)> = given.collect();
    let given: Vec<(&str, &str)> = given
        .iter()
        .map(|(name, value)| (&**name, *value))
        .collect();
    let config = load("", &given).unwrap();
    assert_eq!(config.providers["gmail"]["client_id"], "x");
    assert_eq!(config.providers["graph"]["client_secret"], "x");
}

#[test]
fn large_attachments_have_their_place_and_their_limits() {
    let address: SocketAddr = "127.0.0.1:1234".parse().unwrap();
    let environment = [
        ("POLYPOST_SPOOL_DIR", "/var/spool/polypost"),
        ("POLYPOST_LIMITS__SEND_BYTES", "2097152"),
        ("POLYPOST_LIMITS__UPLOADS_PER_ACCOUNT", "2"),
    ];
    let options = load("", &environment).unwrap().http(address).unwrap();
    assert_eq!(
        options.spool_dir.as_deref(),
        Some(Path::new("/var/spool/polypost"))
    );
    assert_eq!(options.send_bytes, 2 << 20);
    assert_eq!((options.uploads, options.uploads_per_account), (32, 2));
    for (name, file) in [
        ("limits.send_bytes", "[limits]\nsend_bytes = 1000"),
        ("limits.spool_bytes", "[limits]\nspool_bytes = 1048576"),
        ("limits.uploads", "[limits]\nuploads = 0"),
        (
            "limits.uploads_per_account",
            "[limits]\nuploads_per_account = 0",
        ),
    ] {
        let refused = refusal(file, &[]);
        assert!(refused.contains(name), "{refused}");
    }
}

#[test]
fn a_secret_can_stand_in_a_file_of_its_own() {
    let mut key = tempfile::NamedTempFile::new().unwrap();
    writeln!(key, "{KEY}").unwrap();
    let path = key.path().to_str().unwrap().to_owned();
    let config = load("", &[("POLYPOST_SECRET_KEY_FILE", &path)]).unwrap();
    assert_eq!(
        config.secret_key.unwrap().expose().expose_secret()[31],
        0x1f
    );
    let refused = refusal("", &[("POLYPOST_SECRET_KEY_FILE", "/nonexistent")]);
    assert!(refused.contains("POLYPOST_SECRET_KEY_FILE"), "{refused}");
}

#[test]
fn a_key_is_read_in_hex_and_in_every_base64() {
    for text in [
        KEY,
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
        " AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n",
    ] {
        let key: SecretKey = text.parse().unwrap();
        assert_eq!(key.to_hex().expose_secret(), KEY, "{text}");
    }
    for text in ["", "00", &KEY[..62], &KEY.replace('0', "x")] {
        assert!(text.parse::<SecretKey>().is_err(), "{text}");
    }
}

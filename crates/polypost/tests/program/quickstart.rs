use reqwest::StatusCode;
use serde_json::Value;

use crate::process::{Scene, client};

#[tokio::test]
async fn quickstart_synchronises_a_mailbox_and_shows_what_happens_in_it() {
    let scene = Scene::new();
    let mut process = scene.start(&["quickstart", "--listen", "127.0.0.1:0", "--every", "300ms"]);
    let base = process
        .printed("The gateway runs at ")
        .await
        .replace("The gateway runs at ", "");
    let synchronised = process.printed("Synchronised ").await;
    let number = synchronised.split_whitespace().nth(1).unwrap();
    assert!(number.parse::<u32>().unwrap() > 100, "{synchronised}");
    let token = process
        .printed("Account token: ")
        .await
        .replace("Account token: ", "");

    let call = process.printed("/v1/email/sync/updated?deltaToken=").await;
    assert!(call.trim().starts_with("curl "), "{call}");
    let url = call
        .split('\'')
        .find(|part| part.starts_with(&base))
        .unwrap();
    let answer = client().get(url).bearer_auth(&token).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let page: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    assert!(page["records"].is_array());

    process.printed("Following the mailbox").await;
    process.printed("  new ").await;
    process.signal("INT").await;
    assert_eq!(process.ended().await, 0);
    let left = std::fs::read_dir(scene.directory.path()).unwrap().count();
    assert_eq!(left, 0, "the temporary directory is removed");
}

#[tokio::test]
async fn quickstart_takes_a_free_port_where_the_usual_one_is_taken() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let scene = Scene::new().with("POLYPOST_LISTEN", &address);
    let mut process = scene.start(&["quickstart"]);
    let told = process.printed("The gateway runs at ").await;
    assert!(!told.contains(&address), "{told}");
    process.signal("TERM").await;
    assert_eq!(process.ended().await, 0);
}

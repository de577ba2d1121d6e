use std::{fs, path::Path, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use futures::{StreamExt as _, stream};
use serde_json::json;
use tempfile::TempDir;
use tokio::time::timeout;

use super::*;

const ANN: AccountId = AccountId(1);

fn uploads(spool_bytes: u64) -> (Uploads, TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let uploads = Uploads::new(&HttpOptions {
        spool_dir: Some(directory.path().to_owned()),
        spool_bytes,
        send_bytes: 4 << 20,
        uploads: 1,
        uploads_per_account: 1,
        longest_wait: Duration::from_millis(50),
        ..HttpOptions::default()
    });
    (uploads, directory)
}

fn json_type() -> HeaderMap {
    HeaderMap::from_iter([(header::CONTENT_TYPE, "application/json".parse().unwrap())])
}

/// Octets of files of the only process.
fn spooled(directory: &TempDir) -> Vec<u64> {
    let places = fs::read_dir(directory.path()).unwrap();
    let files = places.flat_map(|place| fs::read_dir(place.unwrap().path()).unwrap());
    let sizes = files.filter_map(|file| {
        let file = file.unwrap();
        (file.file_name() != "lock").then(|| file.metadata().unwrap().len())
    });
    sizes.collect()
}

async fn until_empty(directory: &TempDir) {
    while !spooled(directory).is_empty() {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// A message with a file of so many times 48 KiB, made as it is read, and what comes after.
fn large(times: usize, after: &'static str) -> Body {
    let begin =
        stream::iter([r#"{"subject":"x","attachments":[{"name":"n","content":""#.to_owned()]);
    let chunk = STANDARD.encode([7; 48 << 10]);
    let content = stream::repeat(chunk).take(times);
    let all = begin.chain(content).chain(stream::iter([after.to_owned()]));
    Body::from_stream(all.map(Ok::<_, std::io::Error>))
}

fn refusal(answer: ApiResult<Received>) -> (u16, String) {
    let error = answer.unwrap_err();
    let failure = error.failure();
    (failure.status.as_u16(), failure.message.clone())
}

#[tokio::test]
async fn a_large_attachment_is_written_down_as_it_arrives() {
    let (uploads, directory) = uploads(u64::MAX);
    let received = uploads
        .receive(ANN, &json_type(), large(40, "\"}]}"), None)
        .await
        .unwrap();
    let size = 40 * (48 << 10);
    let [AttachmentContent::Spooled { path, size: told }] = &received.contents[..] else {
        panic!("{received:?}");
    };
    assert_eq!(*told, size);
    assert_eq!(spooled(&directory), [size]);
    assert!(fs::read(path).unwrap().iter().all(|octet| *octet == 7));
    assert_eq!(
        received.message["attachments"][0],
        json!({"name": "n", "content": 0})
    );
    let holds = received.holds.clone();
    drop(received);
    assert_eq!(spooled(&directory).len(), 1);
    drop(holds);
    assert!(spooled(&directory).is_empty());
}

#[tokio::test]
async fn small_attachments_stay_in_memory_but_not_any_number_of_them() {
    let (uploads, directory) = uploads(u64::MAX);
    let content = STANDARD.encode([1; 200 << 10]);
    let attachments: Vec<_> = (0..8).map(|_| json!({"content": content})).collect();
    let body = json!({"attachments": attachments}).to_string();
    let received = uploads
        .receive(ANN, &json_type(), body.into(), None)
        .await
        .unwrap();
    let in_memory = received
        .contents
        .iter()
        .filter(|c| matches!(c, AttachmentContent::Memory(_)));
    assert_eq!((in_memory.count(), spooled(&directory).len()), (5, 3));
}

#[tokio::test]
async fn a_message_that_is_refused_leaves_nothing_behind() {
    let (uploads, directory) = uploads(u64::MAX);
    for (body, status) in [
        (large(20, "\"}]"), 400),
        (large(20, "\"}]} x"), 400),
        (large(20, "!\"}]}"), 400),
        (large(20, "\"}],\"a\":nothing}"), 400),
        (large(80, "\"}]}"), 413),
    ] {
        assert_eq!(
            refusal(uploads.receive(ANN, &json_type(), body, None).await).0,
            status
        );
        until_empty(&directory).await;
    }
    let broken = large(20, "").into_data_stream();
    let broken = broken.chain(stream::once(async { Err(axum::Error::new("reset")) }));
    let broken = uploads
        .receive(ANN, &json_type(), Body::from_stream(broken), None)
        .await;
    assert_eq!(refusal(broken), (400, "the body ended early".to_owned()));
    until_empty(&directory).await;
}

#[tokio::test]
async fn there_is_room_for_so_many_octets_of_all_messages() {
    let size = 20 * (48 << 10);
    let (uploads, directory) = uploads(2 * size);
    let receive = async || {
        uploads
            .receive(ANN, &json_type(), large(20, "\"}]}"), None)
            .await
    };
    let first = receive().await.unwrap();
    let _second = receive().await.unwrap();
    assert_eq!(refusal(receive().await).0, 503);
    assert_eq!(spooled(&directory), [size, size]);
    drop(first);
    receive().await.unwrap();
}

#[tokio::test]
async fn a_client_that_goes_away_leaves_nothing_behind() {
    let (uploads, directory) = uploads(u64::MAX);
    let stalled = large(20, "").into_data_stream().chain(stream::pending());
    let headers = json_type();
    let receiving = uploads.receive(ANN, &headers, Body::from_stream(stalled), None);
    let given_up = timeout(Duration::from_millis(300), receiving).await;
    assert!(given_up.is_err());
    until_empty(&directory).await;
}

#[tokio::test]
async fn large_messages_wait_for_their_turn_and_small_ones_do_not() {
    let (uploads, _directory) = uploads(u64::MAX);
    let stalled = || Body::from_stream(large(20, "").into_data_stream().chain(stream::pending()));
    let headers = json_type();
    let occupied = uploads.receive(ANN, &headers, stalled(), None);
    let others = async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        let small = uploads.receive(ANN, &headers, "{}".into(), None).await;
        (small, uploads.receive(ANN, &headers, stalled(), None).await)
    };
    tokio::select! {
        _ = occupied => panic!("it never ends"),
        (small, large) = others => {
            assert!(small.is_ok());
            assert_eq!(refusal(large).0, 429);
        }
    }
    assert!(
        uploads
            .receive(ANN, &headers, large(20, "\"}]}"), None)
            .await
            .is_ok()
    );
}

/// Time is moved on by hand: it does not pass by itself while a thread waits for octets.
#[tokio::test(start_paused = true)]
async fn a_client_that_drips_or_stalls_does_not_keep_its_place() {
    let (uploads, directory) = uploads(u64::MAX);
    let drip = stream::repeat(()).then(|()| async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        Ok("A")
    });
    let drips = large(20, "").into_data_stream();
    let drips = drips.chain(drip.map(|octet| octet.map(Into::into)));
    let stalls = large(20, "").into_data_stream().chain(stream::pending());
    for body in [Body::from_stream(drips), Body::from_stream(stalls)] {
        let receiving = uploads.clone();
        let receiving =
            tokio::spawn(async move { receiving.receive(ANN, &json_type(), body, None).await });
        let begun = tokio::time::Instant::now();
        while !receiving.is_finished() {
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        assert_eq!(refusal(receiving.await.unwrap()).0, 408);
        assert!(begun.elapsed() >= Duration::from_secs(30));
        let headers = json_type();
        let next = uploads.receive(ANN, &headers, large(20, "\"}]}"), None);
        next.await.unwrap();
    }
    drop(directory);
}

#[tokio::test]
async fn a_body_says_what_it_is() {
    let (uploads, _directory) = uploads(u64::MAX);
    let receive = async |headers: &[(&'static str, &str)], body: &'static str| {
        let headers = headers.iter().map(|(name, value)| {
            (
                header::HeaderName::from_static(name),
                value.parse().unwrap(),
            )
        });
        let headers = HeaderMap::from_iter(headers);
        let received = uploads.receive(ANN, &headers, body.into(), None).await;
        received.map_or_else(|error| error.failure().status.as_u16(), |_| 200)
    };
    let with_type = async |name: &str, body| receive(&[("content-type", name)], body).await;
    assert_eq!(receive(&[], "{}").await, 200);
    assert_eq!(receive(&[], " \r\n").await, 200);
    assert_eq!(
        with_type("application/json; charset=utf-8", "{}").await,
        200
    );
    assert_eq!(with_type("multipart/form-data", "").await, 400);
    let form = "--b\r\nContent-Disposition: form-data; name=message\r\n\r\n{}\r\n--b--";
    assert_eq!(
        with_type("multipart/form-data; boundary=b", form).await,
        200
    );
    for other in [
        "multipart/mixed; boundary=b",
        "text/plain",
        "message/rfc822",
        "application/x-www-form-urlencoded",
    ] {
        assert_eq!(with_type(other, "{}").await, 415, "{other}");
    }
    assert_eq!(receive(&[("content-encoding", "gzip")], "{}").await, 415);
    assert_eq!(
        receive(&[("content-encoding", "identity")], "{}").await,
        200
    );
    assert_eq!(
        receive(&[("content-length", "99999999999")], "{}").await,
        413
    );
}

#[tokio::test]
async fn the_digest_is_of_the_octets_of_the_body() {
    let (uploads, _directory) = uploads(u64::MAX);
    let digest = async |body: Body| {
        let received = uploads
            .receive(ANN, &json_type(), body, Some(Sha256::new()))
            .await;
        received.unwrap().digest.unwrap()
    };
    let expected: [u8; 32] = Sha256::digest(b" {\"a\": 1} \n").into();
    assert_eq!(digest(" {\"a\": 1} \n".into()).await, expected);
    let in_drops = stream::iter(
        " {\"a\": 1} \n"
            .bytes()
            .map(|b| Ok::<_, std::io::Error>(vec![b])),
    );
    assert_eq!(digest(Body::from_stream(in_drops)).await, expected);
    assert_ne!(digest("{\"a\":1}".into()).await, expected);
    assert_eq!(
        digest(large(10, "\"}]} ")).await,
        digest(large(10, "\"}]} ")).await
    );
    assert_ne!(
        digest(large(10, "\"}]} ")).await,
        digest(large(10, "\"}]}")).await
    );
}

#[test]
fn a_directory_that_cannot_be_used_does_not_stop_the_start() {
    let options = HttpOptions {
        spool_dir: Some(Path::new("/proc/nothing/here").to_owned()),
        ..HttpOptions::default()
    };
    Uploads::new(&options);
}

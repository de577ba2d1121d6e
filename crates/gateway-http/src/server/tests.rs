use axum::{body::Body, response::Response, routing::get};
use futures::{StreamExt as _, stream};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    task::JoinHandle,
    time::{Instant, timeout},
};

use super::*;

/// A server and its end.
struct Served {
    address: std::net::SocketAddr,
    shutdown: Shutdown,
    task: JoinHandle<io::Result<()>>,
}

impl Served {
    async fn connect(&self) -> TcpStream {
        #[expect(
            clippy::disallowed_methods,
            reason = "the client of the server under test"
        )]
        TcpStream::connect(self.address).await.unwrap()
    }

    async fn exchange(&self, request: &str) -> String {
        let mut stream = self.connect().await;
        stream.write_all(request.as_bytes()).await.unwrap();
        read_to_end(&mut stream).await
    }
}

async fn read_to_end(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    // A reset after the answer is an end too.
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

async fn served(options: ServeOptions) -> Served {
    let router = Router::new()
        .route(
            "/",
            get(|| async { axum::Json(serde_json::json!({"ok": true})) }),
        )
        .route(
            "/slow",
            get(|| async {
                tokio::time::sleep(Duration::from_millis(300)).await;
                "slow"
            }),
        )
        .route("/never", get(std::future::pending::<()>))
        .route(
            "/endless",
            get(|| async {
                let chunk = || Ok::<_, io::Error>(vec![b'x'; 64 << 10]);
                Response::new(Body::from_stream(stream::repeat_with(chunk).boxed()))
            }),
        );
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let shutdown = Shutdown::default();
    let task = tokio::spawn(serve(listener, router, options, shutdown.clone()));
    Served {
        address,
        shutdown,
        task,
    }
}

fn quick() -> ServeOptions {
    ServeOptions {
        head_timeout: Duration::from_millis(200),
        idle_timeout: Duration::from_secs(5),
        write_timeout: Duration::from_millis(200),
        largest_head: 8 << 10,
        connections: 4,
    }
}

const GET: &str = "GET / HTTP/1.1\r\nHost: x\r\n";

#[tokio::test]
async fn an_answer_tells_its_length() {
    let served = served(quick()).await;
    let answer = served
        .exchange(&format!("{GET}Connection: close\r\n\r\n"))
        .await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(
        answer.to_lowercase().contains("content-length: 11"),
        "{answer}"
    );
    assert!(answer.ends_with(r#"{"ok":true}"#));
    let answer = served
        .exchange("HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        .await;
    assert!(
        answer.to_lowercase().contains("content-length: 11"),
        "{answer}"
    );
    assert!(answer.ends_with("\r\n\r\n"), "{answer}");
}

#[tokio::test]
async fn an_offer_to_change_to_http2_is_passed_over() {
    let served = served(quick()).await;
    let answer = served
        .exchange(&format!(
            "{GET}Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n\
             {GET}Connection: close\r\n\r\n"
        ))
        .await;
    assert_eq!(answer.matches("HTTP/1.1 200").count(), 2, "{answer}");
}

#[tokio::test]
async fn a_head_that_does_not_come_to_its_end_is_given_up() {
    let served = served(quick()).await;
    let begun = Instant::now();
    let mut stream = served.connect().await;
    stream.write_all(GET.as_bytes()).await.unwrap();
    let drip = async {
        for _ in 0..100 {
            tokio::time::sleep(Duration::from_millis(20)).await;
            if stream.write_all(b"X: y\r\n").await.is_err() {
                break;
            }
        }
        read_to_end(&mut stream).await
    };
    timeout(Duration::from_secs(4), drip).await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(3));
}

#[tokio::test]
async fn a_connection_may_rest_between_requests_longer_than_a_head_may_take() {
    let served = served(quick()).await;
    let mut stream = served.connect().await;
    for _ in 0..2 {
        stream
            .write_all(format!("{GET}\r\n").as_bytes())
            .await
            .unwrap();
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"HTTP/1.1 200");
        let mut rest = vec![0; 4096];
        let _ = stream.read(&mut rest).await.unwrap();
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

#[tokio::test]
async fn an_idle_connection_is_closed_in_the_end() {
    let options = ServeOptions {
        idle_timeout: Duration::from_millis(200),
        ..quick()
    };
    let served = served(options).await;
    let mut stream = served.connect().await;
    stream
        .write_all(format!("{GET}\r\n").as_bytes())
        .await
        .unwrap();
    let answer = timeout(Duration::from_secs(4), read_to_end(&mut stream))
        .await
        .unwrap();
    assert!(answer.ends_with(r#"{"ok":true}"#), "{answer}");
}

#[tokio::test]
async fn a_slow_handler_is_not_taken_for_a_slow_client() {
    let served = served(quick()).await;
    let answer = served
        .exchange("GET /slow HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        .await;
    assert!(answer.ends_with("slow"), "{answer}");
}

#[tokio::test]
async fn a_client_that_does_not_read_is_given_up() {
    let served = served(quick()).await;
    let mut stream = served.connect().await;
    stream
        .write_all(b"GET /endless HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    // What was on its way is still there; then the connection is over.
    timeout(Duration::from_secs(8), read_to_end(&mut stream))
        .await
        .unwrap();
}

#[tokio::test]
async fn too_large_a_head_is_refused() {
    let served = served(quick()).await;
    let answer = served
        .exchange(&format!("{GET}X: {}\r\n\r\n", "a".repeat(20_000)))
        .await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
}

#[tokio::test]
async fn a_soft_end_lets_requests_finish_and_takes_no_more() {
    let served = served(quick()).await;
    let mut running = served.connect().await;
    running
        .write_all(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    let _idle = served.connect().await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    served.shutdown.soft.cancel();
    let answer = read_to_end(&mut running).await;
    assert!(answer.ends_with("slow"), "{answer}");
    timeout(Duration::from_secs(4), served.task)
        .await
        .unwrap()
        .unwrap()
        .unwrap();
}

#[tokio::test]
async fn a_hard_end_waits_for_nobody() {
    let served = served(quick()).await;
    let mut running = served.connect().await;
    running
        .write_all(b"GET /never HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    served.shutdown.soft.cancel();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(!served.task.is_finished());
    served.shutdown.hard.cancel();
    timeout(Duration::from_secs(4), served.task)
        .await
        .unwrap()
        .unwrap()
        .unwrap();
}

#[tokio::test]
async fn more_connections_than_places_wait() {
    let served = served(ServeOptions {
        connections: 1,
        ..quick()
    })
    .await;
    let mut first = served.connect().await;
    first
        .write_all(b"GET /slow HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        .await
        .unwrap();
    let request = format!("{GET}Connection: close\r\n\r\n");
    let second = served.exchange(&request);
    let (first, second) = tokio::join!(read_to_end(&mut first), second);
    assert!(
        first.ends_with("slow") && second.ends_with("}"),
        "{first} {second}"
    );
}

//! Refusals of large messages, as they reach a client that looks for an answer only when it has sent everything.

use axum::http::StatusCode;
use gateway_http::{ServeOptions, Shutdown, serve};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufStream},
    net::{TcpListener, TcpStream},
};

use crate::support::{Api, Connected};

type Connection = BufStream<TcpStream>;

async fn connect(api: &Api) -> Connection {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (router, options) = (api.router.clone(), ServeOptions::default());
    tokio::spawn(serve(listener, router, options, Shutdown::default()));
    #[expect(
        clippy::disallowed_methods,
        reason = "the client of the server under test"
    )]
    BufStream::new(TcpStream::connect(address).await.unwrap())
}

/// Sends all of a request and only then reads the answer.
async fn ask(connection: &mut Connection, head: &str, body: &[u8]) -> StatusCode {
    connection.write_all(head.as_bytes()).await.unwrap();
    connection.write_all(body).await.unwrap();
    connection.flush().await.unwrap();
    let (mut status, mut length, mut line) = (String::new(), 0, String::new());
    connection.read_line(&mut status).await.unwrap();
    while line != "\r\n" {
        line.clear();
        connection.read_line(&mut line).await.unwrap();
        if let Some(told) = line.to_lowercase().strip_prefix("content-length:") {
            length = told.trim().parse().unwrap();
        }
    }
    let mut answer = vec![0; length];
    connection.read_exact(&mut answer).await.unwrap();
    status.split(' ').nth(1).unwrap().parse().unwrap()
}

fn head(account: &Connected<'_>, content_type: &str, length: usize) -> String {
    let token = &account.token;
    format!(
        "POST /v1/email/messages HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: {content_type}\r\nContent-Length: {length}\r\n\r\n"
    )
}

#[tokio::test]
async fn a_refusal_reaches_a_client_that_sends_everything_first() {
    let api = Api::new().await;
    let account = api.connect("ann@example.org", &[]).await;
    let mut connection = connect(&api).await;
    let mut body = br#"{"attachments":[{"content":"!"#.to_vec();
    body.resize(24 << 20, b'x');
    for (content_type, status) in [("application/json", 400), ("application/pdf", 415)] {
        let head = head(&account, content_type, body.len());
        assert_eq!(ask(&mut connection, &head, &body).await, status);
    }
    let next = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
    assert_eq!(ask(&mut connection, next, b"").await, 200);
}

//! A server that answers as a test says, where the fake has no such fault.

use std::sync::{Arc, Mutex};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
};

/// A request as it came.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// Method, address and version.
    pub line: String,
    /// `Content-Range`.
    pub range: Option<String>,
    /// Octets of the body, as announced.
    pub length: u64,
    /// What was read of it, unless it is thrown away.
    pub body: Vec<u8>,
}

/// What is done about a request.
#[derive(Clone, Debug)]
pub struct Reply {
    /// How much of the body is read.
    pub take: u64,
    /// Status line and headers, and a body; nothing where the connection is closed without an answer.
    pub answer: Option<(String, String)>,
}

impl Reply {
    /// The whole body is read, and this is answered.
    pub fn answer(head: &str, body: &str) -> Self {
        Self {
            take: u64::MAX,
            answer: Some((head.to_owned(), body.to_owned())),
        }
    }
}

type Script = Box<dyn FnMut(&Asked) -> Reply + Send>;

/// The running server; it ends with the test.
pub struct Scripted {
    /// Its root.
    pub url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Scripted {
    /// Starts one. What the bodies hold is thrown away unless `keeps` is set.
    pub async fn start(keeps: bool, script: impl FnMut(&Asked) -> Reply + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let script: Arc<Mutex<Script>> = Arc::new(Mutex::new(Box::new(script)));
        let seen = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, keeps, Arc::clone(&script), Arc::clone(&seen)));
            }
        });
        Self { url, asked }
    }

    /// Every request until now.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().expect("a lock").clone()
    }
}

async fn serve(
    stream: TcpStream,
    keeps: bool,
    script: Arc<Mutex<Script>>,
    seen: Arc<Mutex<Vec<Asked>>>,
) -> Option<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let mut asked = head(&mut stream).await?;
        let reply = (script.lock().expect("a lock"))(&asked);
        let take = reply.take.min(asked.length);
        let mut left = take;
        let mut buffer = vec![0; 64 << 10];
        while left > 0 {
            let most = usize::try_from(left)
                .unwrap_or(usize::MAX)
                .min(buffer.len());
            let read = stream.read(&mut buffer[..most]).await.ok()?;
            if read == 0 {
                return None;
            }
            left -= u64::try_from(read).expect("a small number");
            if keeps {
                asked.body.extend_from_slice(&buffer[..read]);
            }
        }
        let is_whole = take == asked.length;
        seen.lock().expect("a lock").push(asked);
        let (head, body) = reply.answer?;
        let text = format!(
            "HTTP/1.1 {head}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.get_mut().write_all(text.as_bytes()).await.ok()?;
        if !is_whole {
            // Time for the answer to be read before the connection is reset.
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
            return None;
        }
    }
}

async fn head(stream: &mut BufReader<TcpStream>) -> Option<Asked> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).expect("ASCII");
    let field = |name: &str| {
        let found = head.lines().filter_map(|line| line.split_once(": "));
        let mut found = found.filter(|(known, _)| known.eq_ignore_ascii_case(name));
        found.next().map(|(_, value)| value.to_owned())
    };
    let length = field("content-length");
    Some(Asked {
        line: head.lines().next().unwrap_or_default().to_owned(),
        range: field("content-range"),
        length: length.map_or(0, |length| length.parse().expect("a number")),
        body: Vec::new(),
    })
}

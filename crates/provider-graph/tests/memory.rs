//! What a large attachment costs, whatever its size.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse as _, Response},
    routing::{get, patch, post, put},
};
use email_mime::compose::{Form, Limits, Purpose, compose};
use email_model::{AttachmentContent, OutgoingAttachment, OutgoingMessage};
use email_provider::{
    ByteStream, Call, ConnectContext, MessageCopy, MessageOctets, Outgoing, Priority,
    ProviderPlugin as _, SendEnvelope, SignIn, SystemClock,
    network::{GuardOptions, GuardedNetwork},
};
use fake_graph::FakeGraph;
use fake_oauth::FakeOAuth;
use provider_graph::GraphPlugin;
use serde_json::{Value, json};
use tokio::{net::TcpListener, time::Instant};

const SIZE: usize = 100 << 20;
/// What may be taken for it, in KiB: a few ranges on their way, and what serves them here.
const MOST_KIB: u64 = 40 << 10;

/// A message whose octets nobody may need at once.
#[derive(Debug)]
struct Unread(u64);

impl MessageOctets for Unread {
    fn length(&self, _: MessageCopy) -> u64 {
        self.0
    }

    fn read(&self, _: MessageCopy) -> ByteStream {
        panic!("it is too large for one request")
    }
}

/// The API, as far as a draft needs it, which keeps nothing.
#[derive(Clone)]
struct Api {
    base: String,
    received: Arc<AtomicUsize>,
}

fn draft() -> Value {
    json!({"id": "A", "changeKey": "1", "isDraft": true, "parentFolderId": "F"})
}

async fn taken(State(api): State<Api>, headers: HeaderMap, octets: Bytes) -> Response {
    assert!(
        headers.get("authorization").is_none(),
        "no token goes there"
    );
    let taken = api.received.fetch_add(octets.len(), Ordering::SeqCst) + octets.len();
    match taken >= SIZE {
        true => StatusCode::CREATED.into_response(),
        false => Json(json!({"nextExpectedRanges": [format!("{taken}-")]})).into_response(),
    }
}

impl Api {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let api = Self {
            base: format!("http://{address}"),
            received: Arc::default(),
        };
        let session = async |State(api): State<Self>| {
            let session = json!({"uploadUrl": format!("{}/upload", api.base)});
            (StatusCode::CREATED, Json(session))
        };
        let made = async || (StatusCode::CREATED, Json(draft()));
        let none = async || Json(json!({"value": []}));
        let uploads = "/v1.0/me/messages/A/attachments/createUploadSession";
        let router = Router::new()
            .route("/v1.0/me/messages", get(none).post(made))
            .route("/v1.0/me/messages/A", patch(async || Json(draft())))
            .route(uploads, post(session))
            .route("/upload", put(taken))
            .layer(DefaultBodyLimit::disable())
            .with_state(api.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        api
    }
}

/// The most memory that the process has had, in KiB; `None` where the system does not tell.
fn most_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

fn outgoing(message: OutgoingMessage) -> Outgoing {
    let limits = Limits {
        recipients: 9,
        octets: u64::MAX,
        internationalised: true,
    };
    let composed = compose(&message, Purpose::Draft, &limits).expect("a message");
    Outgoing {
        message_id: message.message_id.clone(),
        message: Arc::new(message),
        envelope: SendEnvelope {
            sender: None,
            recipients: Vec::new(),
            internationalised: false,
        },
        octets: Arc::new(Unread(composed.length(Form::Kept))),
        answers: None,
    }
}

#[tokio::test]
async fn an_attachment_of_a_hundred_megabytes_takes_little_memory() {
    const EMAIL: &str = "ann@contoso.example";
    let oauth = FakeOAuth::start().await.expect("a port");
    let graph = FakeGraph::start(&oauth).await.expect("a port");
    let _ = graph.user(EMAIL);
    let allowed = "127.0.0.0/8".parse().expect("a network");
    let mut context = ConnectContext {
        public_url: None,
        network: Arc::new(GuardedNetwork::new(vec![allowed], GuardOptions::default())),
        clock: Arc::new(SystemClock),
        config: json!({"url": graph.url()}),
        tokens: None,
        budget: None,
    };
    let plugin = GraphPlugin::default();
    let sign_in = SignIn {
        access_token: Some(graph.token(EMAIL, &["Mail.ReadWrite", "User.Read"]).into()),
        ..SignIn::default()
    };
    let mailbox = plugin.resolve(&context, &sign_in).await;
    let mailbox = plugin.prove(&context, mailbox.expect("a sign-in")).await;
    let connection = mailbox.expect("a mailbox").connection;
    let api = Api::start().await;
    context.config = json!({"url": api.base});
    let provider = plugin.open(&context, &connection).await.expect("a mailbox");

    let file = tempfile::NamedTempFile::new().expect("a file");
    file.as_file().set_len(SIZE as u64).expect("a sparse file");
    let message = OutgoingMessage {
        message_id: "<large@conformance.example>".to_owned(),
        attachments: vec![OutgoingAttachment {
            name: Some("large.bin".to_owned()),
            mime_type: None,
            inline: false,
            content_id: None,
            content: AttachmentContent::Spooled {
                path: file.path().to_owned(),
                size: SIZE as u64,
            },
        }],
        ..OutgoingMessage::default()
    };
    let before = most_memory();
    let call = Call {
        priority: Priority::Interactive,
        deadline: Instant::now() + Duration::from_secs(300),
    };
    let drafts = provider.drafts().expect("drafts");
    let kept = drafts.create(call, &outgoing(message)).await;
    kept.expect("a draft");
    assert_eq!(api.received.load(Ordering::SeqCst), SIZE);
    if let (Some(before), Some(after)) = (before, most_memory()) {
        let taken = after - before;
        assert!(taken < MOST_KIB, "{taken} KiB");
    }
}

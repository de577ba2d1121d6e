//! The servers behind a gateway, and what they hold.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use fake_gmail::{ErrorFault, ErrorKind, Faults};
use fake_graph::When;
use serde_json::json;
use test_servers::{Dialect, Dovecot, PASSWORD, Postfix};

use super::mailbag::{self, Arrived};
use super::plan::{StepFault, StepKind, Trouble, Way};
use super::smtp_proxy::{Deed, SmtpFault, SmtpProxy};
use crate::{Api, GatewayOptions, GatewayProcess, Google, Microsoft};

/// Units a minute: no run comes near it.
const UNITS: u32 = 1_000_000;
/// A message to be answered.
const LETTER: &[u8] = b"From: Bob <bob@else.test>\r\nTo: me@here.test\r\nSubject: A question\r\n\
    Message-ID: <question@else.test>\r\nDate: Sun, 01 Nov 2026 10:00:00 +0000\r\n\r\nWell?\r\n";

static NEXT_USER: AtomicUsize = AtomicUsize::new(0);

/// The servers of one mailbox.
pub enum Servers {
    /// An IMAP and an SMTP server, which many share.
    Smtp {
        /// The former.
        dovecot: &'static Dovecot,
        /// The latter.
        postfix: &'static Postfix,
        /// The way to the latter.
        proxy: SmtpProxy,
        /// The user of both.
        user: String,
    },
    /// Google.
    Gmail(Google),
    /// Microsoft.
    Graph(Microsoft),
}

/// What a server knows of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// The message as everybody got it.
    pub arrived: Vec<Arrived>,
    /// Copies in the folder of sent messages.
    pub copies: usize,
    /// Drafts.
    pub drafts: usize,
}

impl Servers {
    /// Starts them, with one message in the inbox.
    ///
    /// # Errors
    /// When a server is not to be had.
    pub async fn start(way: Way) -> Result<Self> {
        Ok(match way {
            Way::Smtp => {
                let dovecot = Dovecot::shared(Dialect::Qresync).await?;
                let postfix = Postfix::shared().await?;
                let number = NEXT_USER.fetch_add(1, Ordering::Relaxed) % 200 + 1;
                let user = format!("u{number:04}@test.local");
                let mut client = dovecot.client(&user).await?;
                client.append("INBOX", LETTER, &[], None).await?;
                client.logout().await?;
                let proxy = SmtpProxy::to_port(postfix.plain_port())?;
                Self::Smtp {
                    dovecot,
                    postfix,
                    proxy,
                    user,
                }
            }
            Way::Gmail => {
                let google = Google::start("alice@gmail.test").await?;
                google
                    .gmail
                    .settings(|settings| settings.units_per_user = UNITS);
                let now = google.gmail.clock().now_ms();
                google.user.append(LETTER, &["INBOX"], now);
                Self::Gmail(google)
            }
            Way::Graph => {
                let microsoft = Microsoft::start("alice@outlook.test").await?;
                microsoft
                    .graph
                    .settings(|settings| settings.requests_per_window = UNITS);
                microsoft.user.deliver(LETTER);
                Self::Graph(microsoft)
            }
        })
    }

    /// What a gateway must be told.
    #[must_use]
    pub fn options(&self, options: GatewayOptions) -> GatewayOptions {
        match self {
            Self::Smtp { .. } => options,
            Self::Gmail(google) => {
                let quota =
                    json!({"user_units": UNITS, "project_units": UNITS, "throttle_pause_ms": 5});
                google.options(options, &quota)
            }
            Self::Graph(microsoft) => {
                microsoft.options(options, &json!({"requests": UNITS, "throttle_pause_ms": 5}))
            }
        }
    }

    /// Connects the mailbox.
    ///
    /// # Errors
    /// When a server is not to be had.
    pub async fn connect(&self, gateway: &GatewayProcess) -> Result<Api> {
        match self {
            Self::Smtp {
                dovecot,
                proxy,
                user,
                ..
            } => {
                let credentials = json!({
                    "serviceType": "IMAP",
                    "active": true,
                    "email": user,
                    "loginString": user,
                    "password": PASSWORD,
                    "serverUrl": format!("imap://127.0.0.1:{}?security=none", dovecot.imap_port()),
                    "serverUrl2": format!("smtp://127.0.0.1:{}?security=none", proxy.port()),
                });
                Ok(gateway.account_by(credentials).await?.1)
            }
            Self::Gmail(google) => google.connect(gateway).await,
            Self::Graph(microsoft) => microsoft.connect(gateway).await,
        }
    }

    /// Lets trouble begin, as far as it is the servers'.
    pub fn trouble(&self, trouble: Trouble) {
        match self {
            Self::Smtp { proxy, .. } => proxy.set(match trouble {
                Trouble::Smtp(fault) => Some(fault),
                Trouble::KilledAt(place, moment) => Some(SmtpFault {
                    place,
                    moment,
                    deed: Deed::Tell,
                    times: 1,
                }),
                _ => None,
            }),
            Self::Gmail(google) => {
                google.gmail.clear_requests();
                google.gmail.set_faults(match trouble {
                    Trouble::Step(fault) => gmail_faults(fault),
                    Trouble::KilledOn(method) => Faults {
                        stalls: 1.0,
                        only: vec![method.to_owned()],
                        ..Faults::default()
                    },
                    _ => Faults::default(),
                });
            }
            Self::Graph(microsoft) => {
                microsoft.graph.clear_requests();
                microsoft.graph.set_faults(match trouble {
                    Trouble::Step(fault) => graph_faults(fault),
                    Trouble::KilledOn(method) => fake_graph::Faults {
                        stalls: When::Always,
                        only: vec![method.to_owned()],
                        ..fake_graph::Faults::default()
                    },
                    _ => fake_graph::Faults::default(),
                });
            }
        }
    }

    /// Lets all chances begin anew.
    pub fn seed(&self, seed: u64) {
        match self {
            Self::Smtp { .. } => {}
            Self::Gmail(google) => google.gmail.seed(seed),
            Self::Graph(microsoft) => microsoft.graph.seed(seed),
        }
    }

    /// Whether a request of this method was made since trouble began.
    #[must_use]
    pub fn was_asked(&self, method: &str) -> bool {
        let is_it = |made: Option<&str>| made.is_some_and(|made| made.starts_with(method));
        match self {
            Self::Smtp { .. } => false,
            Self::Gmail(google) => google.gmail.requests().iter().any(|one| is_it(one.method)),
            Self::Graph(microsoft) => microsoft
                .graph
                .requests()
                .iter()
                .any(|one| is_it(one.method)),
        }
    }

    /// What they hold of the messages with this word in the subject.
    ///
    /// # Errors
    /// When a server is not to be had.
    pub async fn known(&self, word: &str) -> Result<Known> {
        match self {
            Self::Smtp {
                dovecot,
                postfix,
                user,
                ..
            } => {
                let mut client = dovecot.client(user).await?;
                let mut counts = [0, 0];
                for (count, folder) in counts.iter_mut().zip(["Sent", "Drafts"]) {
                    client.select(folder).await?;
                    let criteria = format!("UNDELETED SUBJECT \"{word}\"");
                    *count = client.uid_search(&criteria).await?.len();
                }
                client.logout().await?;
                Ok(Known {
                    arrived: mailbag::arrived(postfix, word)?,
                    copies: counts[0],
                    drafts: counts[1],
                })
            }
            Self::Gmail(google) => {
                let mut known = Known::default();
                for sent in google.gmail.sent() {
                    add_arrived(&mut known, &sent.raw, sent.recipients, word);
                }
                for message in google.user.messages() {
                    if !mailbag::of_message(&message.raw).subject.contains(word) {
                        continue;
                    }
                    let has = |label: &str| message.labels.iter().any(|one| one == label);
                    known.copies += usize::from(has("SENT"));
                    known.drafts += usize::from(has("DRAFT"));
                }
                Ok(known)
            }
            Self::Graph(microsoft) => {
                let mut known = Known::default();
                for sent in microsoft.graph.sent() {
                    add_arrived(&mut known, &sent.raw, sent.recipients, word);
                }
                let folders = microsoft.user.folders();
                let id_of = |name: &str| {
                    let folder = folders
                        .iter()
                        .find(|one| one.well_known.as_deref() == Some(name));
                    folder.map(|one| one.id.clone()).unwrap_or_default()
                };
                let (sent, drafts) = (id_of("sentitems"), id_of("drafts"));
                for message in microsoft.user.messages() {
                    if !mailbag::of_message(&message.raw).subject.contains(word) {
                        continue;
                    }
                    known.copies += usize::from(message.folder == sent);
                    known.drafts += usize::from(message.folder == drafts);
                }
                Ok(known)
            }
        }
    }

    /// Waits until nothing is under way any more, and looks whether all requests were such as may be made.
    ///
    /// # Errors
    /// When a server is not to be had.
    pub async fn end(&self) -> Result<()> {
        match self {
            Self::Smtp { postfix, .. } => drop(postfix.settled().await.context("the SMTP server")?),
            Self::Gmail(google) => {
                let violations = google.gmail.violations();
                ensure!(violations.is_empty(), "{violations:?}");
            }
            Self::Graph(microsoft) => {
                let violations = microsoft.graph.violations();
                ensure!(violations.is_empty(), "{violations:?}");
            }
        }
        Ok(())
    }
}

fn add_arrived(known: &mut Known, raw: &[u8], recipients: Vec<String>, word: &str) {
    let one = mailbag::of_message(raw);
    if one.subject.contains(word) {
        let all = recipients.into_iter().map(|recipient| Arrived {
            recipient,
            ..one.clone()
        });
        known.arrived.extend(all);
    }
}

fn gmail_faults(fault: StepFault) -> Faults {
    let probability = fault.probability;
    let only = vec![fault.method.to_owned()];
    let error = |kind| Faults {
        errors: vec![ErrorFault {
            probability,
            ..ErrorFault::always(kind)
        }],
        ..Faults::default()
    };
    let mut faults = match fault.kind {
        StepKind::Lost => Faults {
            dropped_requests: probability,
            ..Faults::default()
        },
        StepKind::AnswerCut => Faults {
            cut_connections: probability,
            ..Faults::default()
        },
        StepKind::FailsAfterEffect => Faults {
            failures_after_effect: probability,
            ..Faults::default()
        },
        StepKind::Internal => error(ErrorKind::Internal),
        StepKind::Unavailable => error(ErrorKind::Unavailable),
        StepKind::TooMany => error(ErrorKind::TooManyRequests),
    };
    faults.only = only;
    faults
}

fn graph_faults(fault: StepFault) -> fake_graph::Faults {
    use fake_graph::{ErrorFault, ErrorKind, Faults};
    let when = When::Chance(fault.probability);
    let error = |kind| Faults {
        errors: vec![ErrorFault::when(kind, when)],
        ..Faults::default()
    };
    let mut faults = match fault.kind {
        StepKind::Lost => Faults {
            dropped_requests: when,
            ..Faults::default()
        },
        StepKind::AnswerCut => Faults {
            cut_connections: when,
            ..Faults::default()
        },
        StepKind::FailsAfterEffect => Faults {
            failures_after_effect: when,
            ..Faults::default()
        },
        StepKind::Internal => error(ErrorKind::Internal),
        StepKind::Unavailable => error(ErrorKind::Unavailable),
        StepKind::TooMany => error(ErrorKind::TooManyRequests),
    };
    faults.only = vec![fault.method.to_owned()];
    faults
}

impl Servers {
    /// Waits for the moment at which the gateway is to be killed; for ever where it is not.
    pub async fn until_to_be_killed(&self, trouble: Trouble) {
        match (trouble, self) {
            (Trouble::KilledAfter(time), _) => tokio::time::sleep(time).await,
            (Trouble::KilledAt(..), Self::Smtp { proxy, .. }) => proxy.reached().await,
            (Trouble::KilledOn(method), _) => {
                while !self.was_asked(method) {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            }
            _ => std::future::pending().await,
        }
    }
}

//! One message from MAIL to the answer after its last octet.

use std::time::Duration;

use email_provider::{ByteStream, ErrorKind, ProviderError, RefusedRecipient};
use futures::StreamExt as _;
use lettre::transport::smtp::{
    commands::{Data, Mail, Rcpt},
    extension::{MailBodyParameter, MailParameter},
};
use tokio::time::{Instant, timeout, timeout_at};

use super::{
    connection::Connection,
    envelope::Envelope,
    error::{Error, Result, Stage},
    reply::Reply,
    stuffing::Stuffing,
};

/// RCPT commands that are on their way at the same time: few enough for every buffer.
const PIPELINED: usize = 50;
/// Octets that are made ready at once.
const PIECE: usize = 64 << 10;
/// How long a reply is waited for that explains why the server takes no more.
const EXPLANATION: Duration = Duration::from_secs(1);

/// What is sent.
pub(crate) struct Content {
    /// The octets.
    pub octets: ByteStream,
    /// What is known of them.
    pub facts: ContentFacts,
}

/// What is known of a message before it is read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ContentFacts {
    /// Octets.
    pub length: u64,
    /// Any other length is an error of whoever reads them.
    pub is_exact: bool,
    /// Octets above 127 are to be expected, if the server takes them.
    pub eight_bit: bool,
}

/// A message that the server took.
#[derive(Debug)]
pub(crate) struct Accepted {
    /// For these it did not.
    pub refused: Vec<RefusedRecipient>,
    /// Octets read.
    pub octets: u64,
}

impl Connection {
    /// MAIL FROM.
    ///
    /// # Errors
    /// `Invalid` where the server cannot take such a message, its refusal, a lost connection. Nothing is
    /// sent.
    pub(super) async fn mail(
        &mut self,
        envelope: &Envelope,
        content: ContentFacts,
        deadline: Instant,
    ) -> Result<()> {
        let offer = self.offer;
        if envelope.internationalised && !offer.internationalised() {
            return Err(Error::Invalid(
                "the sending server takes no addresses beyond ASCII".into(),
            ));
        }
        if offer
            .size
            .is_some_and(|most| most > 0 && content.length > most)
        {
            return Err(Error::Invalid(
                "the message is larger than the sending server takes".into(),
            ));
        }
        let mut parameters = Vec::new();
        if offer.size.is_some() {
            let length = usize::try_from(content.length).unwrap_or(usize::MAX);
            parameters.push(MailParameter::Size(length));
        }
        if envelope.internationalised || (content.eight_bit && offer.eight_bit) {
            parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
        }
        if envelope.internationalised {
            parameters.push(MailParameter::SmtpUtfEight);
        }
        let command = Mail::new(Some(envelope.sender.clone()), parameters);
        let reply = self.exchange(command, "MAIL", deadline).await?;
        match reply.is_success() {
            true => Ok(()),
            false => Err(Error::Refused {
                stage: Stage::Sender,
                reply,
            }),
        }
    }

    /// Everything after MAIL FROM.
    ///
    /// # Errors
    /// `OutcomeUnknown` where the server may have taken the message; after any other nobody gets it.
    pub(super) async fn deliver(
        &mut self,
        envelope: &Envelope,
        content: Content,
        deadline: Instant,
    ) -> Result<Accepted> {
        let result = self.deliver_begun(envelope, content, deadline).await;
        if result.is_err() && self.is_usable() {
            // A connection that cannot be reset is not used again: its error changes nothing.
            let _ = self.reset(deadline).await;
        }
        result
    }

    async fn deliver_begun(
        &mut self,
        envelope: &Envelope,
        content: Content,
        deadline: Instant,
    ) -> Result<Accepted> {
        let mut refused = Vec::new();
        let mut worth_most: Option<Reply> = None;
        let many = if self.offer.pipelining { PIPELINED } else { 1 };
        for recipients in envelope.recipients.chunks(many) {
            for ((name, _), reply) in recipients
                .iter()
                .zip(self.recipients(recipients, deadline).await?)
            {
                if reply.is_success() {
                    continue;
                }
                refused.push(RefusedRecipient {
                    address: name.clone(),
                    reason: reply.to_string(),
                });
                if worth_most.as_ref().is_none_or(|most| !most.is_passing()) {
                    worth_most = Some(reply);
                }
            }
        }
        if let Some(reply) = worth_most
            && refused.len() == envelope.recipients.len()
        {
            return Err(Error::Recipients(refused, reply));
        }
        let reply = self.exchange(Data, "DATA", deadline).await?;
        if !reply.asks_for_more() {
            return Err(Error::Refused {
                stage: Stage::Data,
                reply,
            });
        }
        let eight_bit =
            self.offer.eight_bit && (content.facts.eight_bit || envelope.internationalised);
        let octets = self.content(content, eight_bit, deadline).await?;
        Ok(Accepted { refused, octets })
    }

    /// RCPT TO for several at once; their replies in order.
    async fn recipients(
        &mut self,
        recipients: &[(String, lettre::Address)],
        deadline: Instant,
    ) -> Result<Vec<Reply>> {
        self.begin()?;
        let commands: String = recipients
            .iter()
            .map(|(_, address)| Rcpt::new(address.clone(), Vec::new()).to_string())
            .collect();
        let exchange = async {
            self.wire.write(commands.as_bytes()).await?;
            let mut replies = Vec::with_capacity(recipients.len());
            for _ in recipients {
                let reply = self.wire.read_reply().await?;
                if reply.code() == 421 {
                    return Err(Error::Refused {
                        stage: Stage::Recipient,
                        reply,
                    });
                }
                replies.push(reply);
            }
            Ok(replies)
        };
        let replies = timeout_at(deadline, exchange)
            .await
            .map_err(|_| Error::Timeout("RCPT"))??;
        self.busy = false;
        Ok(replies)
    }

    /// The message and what the server says to it.
    async fn content(
        &mut self,
        mut content: Content,
        eight_bit: bool,
        deadline: Instant,
    ) -> Result<u64> {
        self.begin()?;
        let (mut stuffing, mut ready, mut octets) = (Stuffing::new(), Vec::new(), 0_u64);
        loop {
            // Whatever is wrong with the octets: without the dot at its end it is no message.
            let next = timeout_at(deadline, content.octets.next()).await;
            let Some(piece) = next.map_err(|_| Error::Timeout("the message"))? else {
                break;
            };
            let piece = piece.map_err(Error::Source)?;
            octets += piece.len() as u64;
            for piece in piece.chunks(PIECE) {
                if piece.contains(&0) || (!eight_bit && !piece.is_ascii()) {
                    return Err(Error::Invalid(
                        "the message holds octets that the sending server does not take".into(),
                    ));
                }
                ready.clear();
                stuffing.push(piece, &mut ready);
                self.write_content(&ready, deadline).await?;
            }
        }
        if content.facts.is_exact && octets != content.facts.length {
            return Err(Error::Source(ProviderError::new(
                ErrorKind::Unavailable,
                "the message is not as long as it was said to be",
            )));
        }
        ready.clear();
        stuffing.end(&mut ready);
        self.write_content(&ready, deadline).await?;
        let end = async {
            self.wire.write(b".\r\n").await?;
            self.wire.read_reply().await
        };
        let reply = timeout_at(deadline, end).await;
        let reply = reply
            .unwrap_or(Err(Error::Timeout("the end of the message")))
            .map_err(Error::after_the_end)?;
        if reply.asks_for_more() {
            return Err(Error::Protocol("an answer that was not asked for").after_the_end());
        }
        self.finish(&reply);
        match reply.is_success() {
            true => Ok(octets),
            false => Err(Error::Refused {
                stage: Stage::Message,
                reply,
            }),
        }
    }

    /// A server that takes no more may have said why.
    async fn write_content(&mut self, octets: &[u8], deadline: Instant) -> Result<()> {
        let lost = match timeout_at(deadline, self.wire.write(octets)).await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(lost)) => lost,
            Err(_) => return Err(Error::Timeout("the message")),
        };
        match timeout(EXPLANATION, self.wire.read_reply()).await {
            Ok(Ok(reply)) if !reply.is_success() && !reply.asks_for_more() => Err(Error::Refused {
                stage: Stage::Message,
                reply,
            }),
            _ => Err(lost),
        }
    }
}

//! What a Dovecot shall be like.

use std::time::Duration;

/// Which extensions the server advertises after login.
///
/// Dovecot 2.3 takes the advertised list from `imap_capability` and does not consult it when it executes commands: in the
/// lesser dialects `ENABLE QRESYNC`, `SELECT (CONDSTORE)`, `CHANGEDSINCE` and `MOVE` still work. (HIGHESTMODSEQ is told in
/// no dialect until the session uses CONDSTORE.) A client that goes by CAPABILITY sees the lesser server; Courier is the
/// one that truly has none of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Dialect {
    /// CONDSTORE and QRESYNC (RFC 7162): all that Dovecot offers.
    #[default]
    Qresync,
    /// CONDSTORE without QRESYNC.
    CondstoreOnly,
    /// Neither of them, nor LIST-STATUS, nor any other extension a client could use to see changes cheaply.
    Plain,
}

/// Dovecot's mailbox formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MailFormat {
    /// Many messages a file; the fastest to fill.
    #[default]
    Mdbox,
    /// One file a message, flags in the index.
    Sdbox,
    /// One file a message, flags in the file name; other programs may drop files.
    Maildir,
}

/// Options of [`super::Dovecot::start`].
#[derive(Debug, Clone)]
pub struct DovecotOptions {
    /// Which extensions are advertised.
    pub dialect: Dialect,
    /// Whether MOVE (RFC 6851) is advertised; without it `Dialect::Plain` is like servers of the 2000s.
    pub advertise_move: bool,
    /// After this time in IDLE a connection's process ends and the connection waits in a shared one. At least 1 s.
    pub hibernate: Option<Duration>,
    /// How many users `u0001@test.local`, `u0002@test.local`, … there are beside the four named ones.
    pub users: usize,
    /// Mailbox format.
    pub mail_format: MailFormat,
    /// Whether mail is synchronised to disk. Off: a test's mail need not survive the machine.
    pub fsync: bool,
}

impl Default for DovecotOptions {
    fn default() -> Self {
        Self {
            dialect: Dialect::default(),
            advertise_move: true,
            hibernate: None,
            users: 20,
            mail_format: MailFormat::default(),
            fsync: false,
        }
    }
}

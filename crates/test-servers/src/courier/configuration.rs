//! The text of Courier's account files and start scripts.

use std::path::Path;

use crate::NAMED_USERS;

/// Courier's own account inside the namespace.
const COURIER_UID: u32 = 19_990;
const FIRST_UID: u32 = 20_000;

/// The common password, as MD5 crypt, which is what Courier's user database holds.
const PASSWORD_HASH: &str = "$1$polypost$Kef4WMQFPYxI75PhKXtd1.";

pub(super) const AUTHDAEMONRC: &str = "authmodulelist=\"authuserdb\"
authmodulelistorig=\"authuserdb\"
daemons=3
authdaemonvar=/run/courier/authdaemon
DEFAULTOPTIONS=\"\"
LOGGEROPTS=\"\"
";

/// User id of a user's mail.
pub(super) fn uid(user: &str) -> u32 {
    let index = NAMED_USERS
        .iter()
        .position(|name| *name == user)
        .unwrap_or(0);
    FIRST_UID + u32::try_from(index).unwrap_or(0)
}

/// The user database before `makeuserdb`: name, tab, fields.
pub(super) fn userdb(directory: &Path) -> String {
    let d = directory.display();
    NAMED_USERS
        .iter()
        .map(|user| {
            let id = uid(user);
            format!("{user}\tuid={id}|gid={id}|home={d}/mail/{user}|mail={d}/mail/{user}/Maildir|systempw={PASSWORD_HASH}\n")
        })
        .collect()
}

/// Bash that puts Courier's compiled-in places into the namespace. `/etc` is overlaid rather than written to.
///
/// The mail users need system names too: gamin, through which Courier watches directories, names its socket after the
/// system user and takes 1.2 s to give up where there is none. That name is abstract, hence the port in it: servers of
/// several tests must not meet there.
pub(super) fn setup_sh(directory: &Path, imap: u16) -> String {
    let d = directory.display();
    let accounts: String = NAMED_USERS
        .iter()
        .map(|user| {
            let id = uid(user);
            format!("echo 'mail{imap}-{id}:x:{id}:{id}::/:/usr/sbin/nologin' >> '{d}/etc/passwd'\n")
        })
        .collect();
    format!(
        "for file in passwd group; do grep -v '^courier:' /etc/$file > '{d}'/etc/$file; done
echo 'courier:x:{COURIER_UID}:{COURIER_UID}::/:/usr/sbin/nologin' >> '{d}/etc/passwd'
echo 'courier:x:{COURIER_UID}:' >> '{d}/etc/group'
{accounts}mount -t overlay overlay -o 'lowerdir={d}/etc:/etc' /etc
mount --bind '{d}/courier' /etc/courier
mkdir -p /run/courier/authdaemon
perl /usr/sbin/makeuserdb
"
    )
}

/// Bash that runs the password daemon and a listener for each port.
pub(super) fn serve_sh(directory: &Path, imap: u16, imaps: u16) -> String {
    let d = directory.display();
    // One line each: name and value of what Courier's imapd(8) and couriertls(1) read from the environment.
    let environment = [
        "IMAP_CAPABILITY='IMAP4rev1 UIDPLUS CHILDREN NAMESPACE THREAD=ORDEREDSUBJECT THREAD=REFERENCES SORT QUOTA IDLE'",
        "IMAP_CAPABILITY_TLS=\"$IMAP_CAPABILITY AUTH=PLAIN\"",
        "IMAP_KEYWORDS=1",
        "IMAP_ACL=0",
        "IMAP_IDLE_TIMEOUT=2",
        "IMAP_MAILBOX_SANITY_CHECK=1",
        "IMAP_USELOCKS=1",
        "IMAP_ENHANCEDIDLE=0",
        "IMAP_TRASHFOLDERNAME=Trash",
        "IMAP_EMPTYTRASH=",
        "IMAP_MOVE_EXPUNGE_TO_TRASH=0",
        "IMAP_UMASK=022",
        "IMAP_OBSOLETE_CLIENT=0",
        "IMAP_CHECK_ALL_FOLDERS=0",
        "MAILDIRPATH=Maildir",
        "IMAP_TLS_REQUIRED=0",
        "COURIERTLS=/usr/bin/couriertls",
        &format!("TLS_CERTFILE='{d}/imapd.pem'"),
        "TLS_VERIFYPEER=NONE",
    ]
    .map(|setting| format!("export {setting}\n"))
    .concat();
    let listen =
        "couriertcpd -address=127.0.0.1 -maxprocs=1000 -maxperip=1000 -nodnslookup -noidentlookup";
    let login = "/usr/lib/courier/courier/imaplogin /usr/bin/imapd Maildir";
    format!(
        "{environment}/usr/lib/courier/courier-authlib/authdaemond &
IMAP_STARTTLS=YES IMAPDSTARTTLS=YES {listen} {imap} {login} &
IMAP_TLS=1 {listen} {imaps} /usr/bin/couriertls -server -tcpd {login} &
wait -n
"
    )
}

/// Maildir's letters for system flags, in the order that the format asks for.
pub(super) fn flag_letters(flags: &[&str]) -> String {
    let letters = [
        ("\\Draft", 'D'),
        ("\\Flagged", 'F'),
        ("\\Answered", 'R'),
        ("\\Seen", 'S'),
        ("\\Deleted", 'T'),
    ];
    letters
        .iter()
        .filter(|(flag, _)| flags.contains(flag))
        .map(|(_, letter)| letter)
        .collect()
}

//! The text of `dovecot.conf` and of the account files.

use std::path::Path;

use super::options::{Dialect, DovecotOptions, MailFormat};
use crate::PASSWORD;

/// Of Dovecot 2.3.19 after login, with what every dialect keeps.
const COMMON: &str = "IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE SORT SORT=DISPLAY THREAD=REFERENCES THREAD=REFS \
     THREAD=ORDEREDSUBJECT MULTIAPPEND URL-PARTIAL CATENATE UNSELECT CHILDREN NAMESPACE UIDPLUS LIST-EXTENDED \
     I18NLEVEL=1 ESEARCH ESORT SEARCHRES WITHIN CONTEXT=SEARCH BINARY SNIPPET=FUZZY PREVIEW=FUZZY PREVIEW SAVEDATE \
     LITERAL+ METADATA SPECIAL-USE";

/// User ids of mail users, one each: Linux limits inotify instances per user id, and Dovecot needs one for every
/// session that idles.
const FIRST_UID: usize = 20_000;

/// The advertised list, or `None` for Dovecot's own.
fn capability(options: &DovecotOptions) -> Option<String> {
    let more = match options.dialect {
        Dialect::Qresync if options.advertise_move => return None,
        Dialect::Qresync => " CONDSTORE QRESYNC LIST-STATUS STATUS=SIZE NOTIFY",
        Dialect::CondstoreOnly => " CONDSTORE LIST-STATUS STATUS=SIZE NOTIFY",
        Dialect::Plain => "",
    };
    let moves = if options.advertise_move { " MOVE" } else { "" };
    Some(format!("{COMMON}{more}{moves}"))
}

/// `dovecot.conf` for a server in `directory`.
pub(super) fn dovecot_conf(
    directory: &Path,
    options: &DovecotOptions,
    imap: u16,
    imaps: u16,
) -> String {
    let d = directory.display();
    let location = match options.mail_format {
        MailFormat::Mdbox => "mdbox:~/mdbox",
        MailFormat::Sdbox => "sdbox:~/sdbox",
        MailFormat::Maildir => "maildir:~/Maildir",
    };
    let fsync = if options.fsync { "optimized" } else { "never" };
    let hibernate = options.hibernate.map_or(0, |time| time.as_secs().max(1));
    let capability =
        capability(options).map_or_else(String::new, |list| format!("imap_capability = {list}"));
    let folders: String = ["Drafts", "Sent", "Trash", "Junk", "Archive"]
        .iter()
        .map(|name| {
            format!("  mailbox {name} {{\n    special_use = \\{name}\n    auto = subscribe\n  }}\n")
        })
        .collect();
    format!(
        "base_dir = /run/dovecot
state_dir = {d}/state
log_path = {d}/server.log
protocols = imap
listen = 127.0.0.1
hostname = mail.test
ssl = yes
ssl_cert = <{d}/server.pem
ssl_key = <{d}/server.key
disable_plaintext_auth = no
auth_failure_delay = 0
auth_mechanisms = plain login xoauth2 oauthbearer
first_valid_uid = 1
first_valid_gid = 1
mail_location = {location}
mail_fsync = {fsync}
lock_method = flock
mailbox_list_index = yes
mail_max_userip_connections = 100000
imap_hibernate_timeout = {hibernate}s
mail_attribute_dict = file:%h/dovecot-attributes
maildir_stat_dirs = no
passdb {{
  driver = passwd-file
  mechanisms = xoauth2 oauthbearer
  args = username_format=%u {d}/tokens
}}
passdb {{
  driver = passwd-file
  mechanisms = plain login
  args = username_format=%u {d}/users
}}
userdb {{
  driver = passwd-file
  args = username_format=%u {d}/users
}}
namespace inbox {{
  inbox = yes
  separator = /
{folders}}}
protocol imap {{
  imap_metadata = yes
  imap_logout_format = in=%i out=%o
  {capability}
}}
default_process_limit = 5000
default_client_limit = 20000
default_vsz_limit = 2G
service anvil {{
  client_limit = 20000
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service auth {{
  client_limit = 20000
}}
service imap-login {{
  service_count = 0
  client_limit = 10000
  process_min_avail = 1
  chroot =
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
}}
service imap {{
  process_limit = 5000
  process_min_avail = 2
  unix_listener imap-master {{
    user = dovecot
  }}
  extra_groups = dovecot
}}
service imap-hibernate {{
  unix_listener imap-hibernate {{
    mode = 0666
  }}
}}
"
    )
}

/// User ids of Dovecot's own accounts.
pub(super) const SYSTEM_UIDS: [(&str, u32); 2] = [("dovecot", 19_998), ("dovenull", 19_999)];

/// Bash that makes Dovecot's accounts known inside the namespace.
pub(super) fn setup_sh(directory: &Path) -> String {
    let d = directory.display();
    let [(dovecot, dovecot_id), (dovenull, dovenull_id)] = SYSTEM_UIDS;
    format!(
        "for file in passwd group; do grep -vE '^(dovecot|dovenull):' /etc/$file > '{d}'/$file; done
echo '{dovecot}:x:{dovecot_id}:{dovecot_id}::/nonexistent:/usr/sbin/nologin' >> '{d}/passwd'
echo '{dovenull}:x:{dovenull_id}:{dovenull_id}::/nonexistent:/usr/sbin/nologin' >> '{d}/passwd'
echo '{dovecot}:x:{dovecot_id}:' >> '{d}/group'
echo '{dovenull}:x:{dovenull_id}:' >> '{d}/group'
mount --bind '{d}/passwd' /etc/passwd
mount --bind '{d}/group' /etc/group
"
    )
}

/// User id of the `index`th account.
pub(super) fn uid(index: usize) -> u32 {
    u32::try_from(FIRST_UID + index).unwrap_or(u32::MAX)
}

/// The password file: also says where each user's mail is.
pub(super) fn users_file(directory: &Path, users: &[String]) -> String {
    let d = directory.display();
    users
        .iter()
        .enumerate()
        .map(|(index, user)| {
            let id = uid(index);
            format!("{user}:{{PLAIN}}{PASSWORD}:{id}:{id}::{d}/mail/{user}::\n")
        })
        .collect()
}

/// The bearer tokens, kept like passwords.
pub(super) fn tokens_file(users: &[String]) -> String {
    users
        .iter()
        .map(|user| format!("{user}:{{PLAIN}}{}\n", crate::bearer_token(user)))
        .collect()
}

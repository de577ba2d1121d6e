//! The text of Postfix's configuration, and of the Dovecot that checks its passwords.

use std::path::Path;

use super::PostfixOptions;
use crate::PASSWORD;

/// Accounts inside the namespace, all by number: postfix, postdrop, dovecot, dovenull, the owner of the mail.
const POSTFIX: u32 = 19_980;
const POSTDROP: u32 = 19_981;
const DOVECOT: u32 = 19_982;
const DOVENULL: u32 = 19_983;
const MAIL: u32 = 19_984;

pub(super) const RECIPIENTS: &str = "/^reject/ 550 5.1.1 There is nobody of this name
/^defer/ 451 4.7.1 Try again in 300 seconds
";
pub(super) const SENDERS: &str = "/^forbidden/ 553 5.7.1 Not the owner of this address
";
pub(super) const HEADERS: &str = "/^Subject: Refuse at the end/ REJECT Not this text
";

pub(super) fn main_cf(directory: &Path, options: &PostfixOptions) -> String {
    let d = directory.display();
    let size = options.message_size_limit;
    format!(
        "compatibility_level = 3.6
queue_directory = {d}/queue
data_directory = {d}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
myhostname = mail.test
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
alias_database =
local_recipient_maps =
mynetworks = 127.0.0.2
smtp_dns_support_level = disabled
smtp_host_lookup = native
maillog_file = {d}/server.log
maillog_file_prefixes = {d}
virtual_mailbox_domains = static:all
virtual_mailbox_base = {d}/mail
virtual_mailbox_maps = static:all/
virtual_mailbox_limit = 0
virtual_uid_maps = static:{MAIL}
virtual_gid_maps = static:{MAIL}
virtual_transport = virtual
append_dot_mydomain = no
local_header_rewrite_clients =
smtpd_tls_cert_file = {d}/server.pem
smtpd_tls_key_file = {d}/server.key
smtpd_tls_security_level = none
smtpd_tls_session_cache_database =
tls_random_source = dev:/dev/urandom
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = /run/dovecot/postfix
smtpd_sender_restrictions = check_sender_access regexp:{d}/etc/senders
smtpd_recipient_restrictions = check_recipient_access regexp:{d}/etc/recipients, permit_sasl_authenticated, reject
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_delay_reject = no
smtpd_error_sleep_time = 0
smtpd_soft_error_limit = 1000
smtpd_hard_error_limit = 1000
smtpd_junk_command_limit = 1000
smtpd_client_connection_count_limit = 0
smtpd_reject_footer =
header_checks = regexp:{d}/etc/headers
message_size_limit = {size}
in_flow_delay = 0
enable_long_queue_ids = no
"
    )
}

pub(super) fn master_cf(plain: u16, start_tls: u16, tls: u16) -> String {
    format!(
        "127.0.0.1:{plain} inet n - n - - smtpd
127.0.0.1:{start_tls} inet n - n - - smtpd -o smtpd_tls_security_level=encrypt
127.0.0.1:{tls} inet n - n - - smtpd -o smtpd_tls_wrappermode=yes
cleanup   unix  n - n - 0 cleanup
qmgr      unix  n - n 300 1 qmgr
tlsmgr    unix  - - n 1000? 1 tlsmgr
rewrite   unix  - - n - - trivial-rewrite
bounce    unix  - - n - 0 discard
defer     unix  - - n - 0 bounce
trace     unix  - - n - 0 bounce
flush     unix  n - n 1000? 0 flush
proxymap  unix  - - n - - proxymap
error     unix  - - n - - error
retry     unix  - - n - - error
discard   unix  - - n - - discard
virtual   unix  - n n - - virtual
anvil     unix  - - n - 1 anvil
postlog   unix-dgram n - n - 1 postlogd
"
    )
}

/// Dovecot as the keeper of passwords alone.
pub(super) fn dovecot_conf(directory: &Path, options: &PostfixOptions) -> String {
    let d = directory.display();
    let mechanisms = options.mechanisms;
    format!(
        "base_dir = /run/dovecot
state_dir = {d}/state
log_path = {d}/dovecot.log
protocols =
ssl = no
disable_plaintext_auth = no
auth_failure_delay = 0
auth_mechanisms = {mechanisms}
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
  driver = static
  args = uid={MAIL} gid={MAIL} home=/nonexistent
}}
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service auth {{
  unix_listener postfix {{
    mode = 0600
    user = postfix
  }}
}}
"
    )
}

/// Bash that makes the accounts known inside the namespace and lays out the queue as `postfix check` would.
pub(super) fn setup_sh(directory: &Path) -> String {
    let d = directory.display();
    let accounts = [
        ("postfix", POSTFIX),
        ("dovecot", DOVECOT),
        ("dovenull", DOVENULL),
    ]
    .map(|(name, id)| {
        format!(
            "echo '{name}:x:{id}:{id}::/nonexistent:/usr/sbin/nologin' >> '{d}/passwd'
echo '{name}:x:{id}:' >> '{d}/group'
"
        )
    })
    .concat();
    format!(
        "for file in passwd group; do grep -vE '^(postfix|postdrop|dovecot|dovenull):' /etc/$file > '{d}'/$file; done
{accounts}echo 'postdrop:x:{POSTDROP}:' >> '{d}/group'
mount --bind '{d}/passwd' /etc/passwd
mount --bind '{d}/group' /etc/group
mkdir -p '{d}/mail'
cd '{d}/queue'
mkdir -p active bounce corrupt defer deferred flush hold incoming private saved trace maildrop public pid
chown postfix '{d}/data' active bounce corrupt defer deferred flush hold incoming private saved trace maildrop public
chmod 700 '{d}/data' active bounce corrupt defer deferred flush hold incoming private saved trace
chgrp postdrop maildrop public
chmod 1730 maildrop
chmod 2710 public
chown {MAIL}:{MAIL} '{d}/mail'
cd /
"
    )
}

pub(super) fn serve_sh(directory: &Path) -> String {
    let d = directory.display();
    format!(
        "/usr/sbin/dovecot -F -c '{d}/dovecot.conf' &
while [ ! -S /run/dovecot/postfix ]; do sleep 0.02; done
/usr/lib/postfix/sbin/master -c '{d}/etc' -d &
wait -n
"
    )
}

/// The password file.
pub(super) fn users_file(users: &[String]) -> String {
    users
        .iter()
        .map(|user| format!("{user}:{{PLAIN}}{PASSWORD}\n"))
        .collect()
}

/// The bearer tokens, kept like passwords.
pub(super) fn tokens_file(users: &[String]) -> String {
    users
        .iter()
        .map(|user| format!("{user}:{{PLAIN}}{}\n", crate::bearer_token(user)))
        .collect()
}

-- Text that comes from mail servers and clients is kept as UTF-8 bytes (blob): it may hold any
-- character, NUL included, and is compared and ordered byte by byte. Times are milliseconds since 1970.
-- Ids of messages and threads are unsigned 64-bit numbers kept with their highest bit flipped,
-- so that signed order is theirs.

create table setting (
    name text not null primary key,
    value blob not null
) strict, without rowid;

create table application (
    id integer not null primary key,
    client_id blob not null unique,
    secret_hash blob not null,
    return_urls text not null,
    created_at integer not null
) strict;

create table account (
    id integer not null primary key,
    application integer not null references application (id),
    kind blob not null,
    service_type blob not null,
    mailbox blob not null,
    email blob,
    email_folded blob,
    login blob not null,
    active integer not null,
    details text not null,
    connection_settings text not null,
    connection_secret blob not null,
    credentials text not null,
    created_at integer not null,
    updated_at integer not null
) strict;

create index account_by_application on account (application, id);
create index account_by_email on account (application, email_folded) where email_folded is not null;
create index account_by_mailbox on account (application, mailbox);

create table access_token (
    number integer not null primary key autoincrement,
    hash blob not null unique,
    account integer not null references account (id) on delete cascade,
    created_at integer not null
) strict;

create index access_token_by_account on access_token (account, number);

create table lease (
    account integer not null primary key references account (id) on delete cascade,
    holder text not null,
    until integer not null
) strict;

-- Rows of a journal name it by this number, which is short and never given twice.
create table journal (
    number integer not null primary key autoincrement,
    account integer not null unique references account (id),
    epoch integer not null,
    head integer not null,
    horizon integer not null,
    tick integer not null,
    revision integer not null,
    discovered integer not null,
    key blob not null,
    record text not null,
    synchronises integer not null
) strict;

create index journal_synchronising on journal (account) where synchronises;

-- Numbers of journals that were removed or reset: rows that still name one are being removed, some at
-- a time, so that a great mailbox keeps nobody waiting.
create table forgotten_journal (
    number integer not null primary key
) strict;

create table scope (
    journal integer not null,
    number integer not null,
    key blob not null,
    cursor blob,
    version integer not null,
    state text not null,
    primary key (journal, number)
) strict;

create table folder_list (
    journal integer not null primary key,
    folders text not null
) strict;

-- folders: 8 bytes each, big-endian. born: null is 0. classifications: one bit each.
create table message (
    journal integer not null,
    id integer not null,
    digest blob not null,
    thread integer,
    thread_provisional integer not null,
    received_at integer,
    flags integer,
    keywords text,
    classifications integer,
    folders blob not null,
    message_id blob,
    message_id_hash integer,
    seq integer not null,
    born integer,
    discovery integer not null,
    orphaned integer,
    gone integer not null,
    envelope blob
) strict;

create unique index message_by_id on message (journal, id);
create index message_by_discovery on message (journal, discovery) where seq >= 0 and not gone;
create index message_by_seq on message (journal, gone, seq) where seq > 0;
create index message_by_thread on message (journal, thread) where thread is not null and not gone;
create index message_by_message_id on message (journal, message_id_hash)
    where message_id_hash is not null and not gone;
create index message_orphaned on message (journal, id) where orphaned is not null;

create table entry (
    journal integer not null,
    scope integer not null,
    key blob not null,
    message integer not null,
    primary key (journal, scope, key)
) strict, without rowid;

create index entry_by_message on entry (journal, message);

-- What the processes that share the file tell each other; only the newest rows are kept.
create table wake (
    sequence integer not null primary key autoincrement,
    account integer not null
) strict;

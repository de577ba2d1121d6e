-- Text that comes from mail servers and clients is kept as UTF-8 bytes (bytea): it may hold any
-- character, NUL included, and is compared and ordered byte by byte. Times are milliseconds since 1970.
-- Ids of messages and threads are unsigned 64-bit numbers kept with their highest bit flipped,
-- so that signed order is theirs.

create table setting (
    name text not null primary key,
    value bytea not null
);

create table application (
    id bigint not null primary key,
    client_id bytea not null unique,
    secret_hash bytea not null,
    return_urls text not null,
    created_at bigint not null
);

create table account (
    id bigint not null primary key,
    application bigint not null references application (id),
    kind bytea not null,
    service_type bytea not null,
    mailbox bytea not null,
    email bytea,
    email_folded bytea,
    login bytea not null,
    active boolean not null,
    details text not null,
    connection_settings text not null,
    connection_secret bytea not null,
    credentials text not null,
    created_at bigint not null,
    updated_at bigint not null
);

create index account_by_application on account (application, id);
create index account_by_email on account (application, email_folded) where email_folded is not null;
create index account_by_mailbox on account (application, mailbox);

create table access_token (
    number bigint not null generated always as identity primary key,
    hash bytea not null unique,
    account bigint not null references account (id) on delete cascade,
    created_at bigint not null
);

create index access_token_by_account on access_token (account, number);

create table lease (
    account bigint not null primary key references account (id) on delete cascade,
    holder text not null,
    until bigint not null
);

-- Rows of a journal name it by this number, which is short and never given twice. Every commit
-- updates this row; the room left in its pages lets that happen without touching the indexes.
create table journal (
    number integer not null generated always as identity primary key,
    account bigint not null unique references account (id),
    epoch bigint not null,
    head bigint not null,
    horizon bigint not null,
    tick bigint not null,
    revision bigint not null,
    discovered bigint not null,
    key bytea not null,
    record text not null,
    synchronises boolean not null
) with (fillfactor = 50);

create index journal_synchronising on journal (account) where synchronises;

-- Numbers of journals that were removed or reset: rows that still name one are being removed, some at
-- a time, so that a great mailbox keeps nobody waiting.
create table forgotten_journal (
    number integer not null primary key
);

create table scope (
    journal integer not null,
    number integer not null,
    key bytea not null,
    cursor bytea,
    version bigint not null,
    state text not null,
    primary key (journal, number)
) with (fillfactor = 50);

create table folder_list (
    journal integer not null primary key,
    folders text not null
);

-- folders: 8 bytes each, big-endian. born: null is 0. classifications: one bit each.
-- Wide columns come first, so that no room is lost to alignment.
create table message (
    id bigint not null,
    thread bigint,
    received_at bigint,
    seq bigint not null,
    discovery bigint not null,
    born bigint,
    orphaned bigint,
    journal integer not null,
    message_id_hash integer,
    flags smallint,
    classifications smallint,
    thread_provisional boolean not null,
    gone boolean not null,
    digest bytea not null,
    folders bytea not null,
    message_id bytea,
    keywords text,
    envelope bytea
);

-- Sealed: does not compress.
alter table message alter column envelope set storage external;

create unique index message_by_id on message (journal, id);
create index message_by_discovery on message (journal, discovery) where seq >= 0 and not gone;
create index message_by_seq on message (journal, gone, seq) where seq > 0;
create index message_by_thread on message (journal, thread) where thread is not null and not gone;
create index message_by_message_id on message (journal, message_id_hash)
    where message_id_hash is not null and not gone;
create index message_orphaned on message (journal, id) where orphaned is not null;

create table entry (
    message bigint not null,
    journal integer not null,
    scope integer not null,
    key bytea not null,
    primary key (journal, scope, key)
);

create index entry_by_message on entry (journal, message);

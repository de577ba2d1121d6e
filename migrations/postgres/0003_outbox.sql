-- Drafts, and what is sent.

-- version: rises with every write of the row.
create table draft (
    account bigint not null references account (id) on delete cascade,
    id bigint not null,
    message bigint not null,
    version bigint not null,
    record text not null,
    primary key (account, id),
    unique (account, message)
);

-- number: the order in which sends were asked for. due_at: null at a send's end. held_until: when the
-- process that does something about it counts as dead. version: rises with every claim and write of the row.
create table send (
    number bigint not null generated always as identity primary key,
    account bigint not null references account (id) on delete cascade,
    id bigint not null,
    key_hash bytea,
    request_hash bytea not null,
    draft bigint,
    state text not null,
    due_at bigint,
    holder text,
    held_until bigint,
    version bigint not null,
    record text not null,
    created_at bigint not null,
    unique (account, id)
);

create unique index send_by_key on send (account, key_hash) where key_hash is not null;
create index send_by_draft on send (account, draft, number) where draft is not null;
create index send_by_due on send (due_at, number) where due_at is not null;
create index send_by_holder on send (holder) where holder is not null;
create index send_ended on send (created_at) where due_at is null;

-- Apart from the send, whose row is written several times: a content is written once and removed.
create table send_content (
    send bigint not null primary key references send (number) on delete cascade,
    content bytea not null
);

-- Sealed: does not compress.
alter table send_content alter column content set storage external;

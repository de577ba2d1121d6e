-- Drafts, and what is sent.

-- version: rises with every write of the row.
create table draft (
    account integer not null references account (id) on delete cascade,
    id integer not null,
    message integer not null,
    version integer not null,
    record text not null,
    primary key (account, id),
    unique (account, message)
) strict;

-- number: the order in which sends were asked for. due_at: null at a send's end. held_until: when the
-- process that does something about it counts as dead. version: rises with every claim and write of the row.
create table send (
    number integer not null primary key autoincrement,
    account integer not null references account (id) on delete cascade,
    id integer not null,
    key_hash blob,
    request_hash blob not null,
    draft integer,
    state text not null,
    due_at integer,
    holder text,
    held_until integer,
    version integer not null,
    record text not null,
    created_at integer not null,
    unique (account, id)
) strict;

create unique index send_by_key on send (account, key_hash) where key_hash is not null;
create index send_by_draft on send (account, draft) where draft is not null;
create index send_by_due on send (due_at) where due_at is not null;
create index send_by_holder on send (holder) where holder is not null;
create index send_ended on send (created_at) where due_at is null;

-- Sealed. Apart from the send, whose row is written several times: a content is written once and removed.
create table send_content (
    send integer not null primary key references send (number) on delete cascade,
    content blob not null
) strict;

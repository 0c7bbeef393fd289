//! The settings that durability and the fence rest on, as the connection that writes has them.

use crate::open::{Options, writing};
use expect_test::expect;
use rusqlite::types::Value;

#[test]
fn the_writer_is_set_to_be_durable() {
    let folder = tempfile::tempdir().unwrap();
    let (_opened, connection) = writing(&folder.path().join("store.db"), &Options::default()).unwrap();
    let mut text = String::new();
    for setting in ["journal_mode", "synchronous", "foreign_keys", "busy_timeout", "application_id", "user_version"] {
        let found: Value = connection.pragma_query_value(None, setting, |row| row.get(0)).unwrap();
        text += &format!("{setting} {found:?}\n");
    }
    expect![[r#"
        journal_mode Text("wal")
        synchronous Integer(2)
        foreign_keys Integer(1)
        busy_timeout Integer(5000)
        application_id Integer(1163283276)
        user_version Integer(1)
    "#]]
    .assert_eq(&text);
    let strict = "SELECT group_concat(name) FROM pragma_table_list WHERE schema = 'main' AND strict = 0";
    let loose: String = connection.query_row(strict, [], |row| row.get(0)).unwrap();
    assert_eq!(loose, "sqlite_schema", "every table of ours is STRICT");
    assert!(rusqlite::version_number() >= 3_051_003);
}

/// The store itself keeps a second batch from being open, whatever the program believes.
#[test]
fn the_file_allows_one_open_batch() {
    let folder = tempfile::tempdir().unwrap();
    let (_opened, connection) = writing(&folder.path().join("store.db"), &Options::default()).unwrap();
    let hash = [0_u8; 32];
    connection
        .execute("INSERT INTO portfolio VALUES (1, 'growth', 1, 1, 1, ?1, 0, 'rebalancing', NULL)", [hash])
        .unwrap();
    let open = "INSERT INTO batch (portfolio, id, opened, outcome) VALUES (1, ?1, 1, '')";
    connection.execute(open, ["one"]).unwrap();
    let second = connection.execute(open, ["two"]).unwrap_err();
    assert_eq!(second.to_string(), "UNIQUE constraint failed: batch.portfolio");
    connection.execute("UPDATE batch SET closed = 2", []).unwrap();
    connection.execute(open, ["two"]).unwrap();
}

// Package store keeps what must survive a kill and a power cut: the state of
// the agent as key/value pairs, and queues of records that wait for their
// destination (spec R60, R6). It knows nobody's types: keys, values and
// records are bytes.
//
// One event is one [Change]: the keys it sets, the records it appends and the
// records it acknowledges become durable together or not at all. Changes that
// arrive while the disk is busy share the next write (group commit).
//
// # Durability
//
// [Store.Commit] never waits for the disk. Its callback runs after the change
// is durable, in the order of the Commit calls. [Store.Discard] removes
// delivered records durably within a second, with the sync of a commit or one
// of its own: a crash before that brings some back, so delivery is at least
// once. A record is readable only after it is durable, so its sequence number
// can never be given to another record by a crash.
//
// # Failure
//
// The engine (Pebble) can't go on after a failed write of its log. The store
// then closes [Store.Failed] and answers everything pending and everything
// later with [ErrFailed]; the process lives, and opening the directory again
// (in a new process) brings back every change whose callback saw nil. The
// goroutines of the dead engine stay parked and the directory stays locked
// until the process ends: they may still have a file open.
//
// A full disk must not get that far: below Config.MinFree, and above
// Config.MaxSize, the store refuses new events ([ErrNoSpace]) while those under
// way still finish, and a ballast file is given back when the disk is full all
// the same. It warns before that; [Store.Space] says how things stand.
//
// # Space
//
// The engine removes what was deleted or overwritten when it next compacts, for
// which it must be written to. A store that refuses events is not. So while
// space is short, what was delivered is compacted away as deliveries go on; a
// store that is too large for its overwritten state compacts that too. Both go
// table by table, so they take little room themselves. Logs are kept and
// written over: about a sixth of MaxSize, at worst 27% (350 MiB without), for all.
//
// # Damage
//
// A block of a table whose checksum is wrong (a flipped octet) is noticed when it is read, or
// by a compaction. Undelivered records that were in it are lost: they are told by [Store.Damage] until
// [Store.ForgetDamage], and taken off their queue, so that delivery goes on behind them. A second or two
// later the keys that the block may hold are cut out of the engine (cut.go), or every compaction would fail
// on them; what can be read of them otherwise is kept. A record that is simply not there, as when a log was
// lost, is told in the same way.
//
// State that cannot be read refuses Open or Load with [ErrDamaged], which says where it is and how many keys
// it is at most; so does the position of a queue. With Config.AcceptLoss they are cut out too; a queue
// that has lost its position delivers all records that are left of it. If state is damaged while the store
// is open, the caller lacks nothing; the next Open would, and refuses.
//
// The engine takes the end of a log that cannot be read for the end of a crash, and a MANIFEST that ends
// too early too. So logs are looked through before it replays them (logcheck.go), and a file named inventory
// says which logs there must be and how long the MANIFEST is (inventory.go). What is not seen: damage of what
// the last sync wrote into the newest log, at most one batch, and a folder that is older as a whole.
//
// # Restart
//
// After a kill the log is written into tables before Open returns: at most the
// three memtables that may be in memory, 192 MiB. State is then read
// sequentially by [Store.Load]; records are not read. A million keys and a
// million records take about a second (BenchmarkOpen).
//
// # Concurrency
//
// All methods may be called by several goroutines. Three goroutines belong to
// a store: the writer (the only one that applies batches to the engine), the
// committer (runs AfterBatch and the callbacks) and the space watcher, which
// starts a fourth for each round of giving space back. They end with [Store.Close]. Store.mu guards the batch being filled and the
// in-memory positions of the queues; it is never held over I/O. Callbacks may
// call every method but Close.
//
// # Layout
//
// All integers are big-endian. A queue name is 1 to 128 bytes long, its length
// stands in front of it, so no queue's keys are a prefix of another's.
//
//	01                     -> format(4)
//	02 len(1) name         -> low(8) next(8)
//	03 len(1) name chunk(8) -> acked bitmap, 64 words of 8 bytes
//	04 len(1) name seq(8)  -> record
//	05 key                 -> value
//	06 len(1) name first(8) -> last(8) records(8) at(8) reason: records that could not be read;
//	                          without a name, state that could not
//	07..ff 00              -> len(4) from to: keys to be cut out, empty once they are out
//	07..ff 01 key          -> value, to be put back after that
//
// Records below low are delivered. Records from low to next are undelivered
// save those whose bit is set in the bitmap of chunk seq/4096 (bit seq%64 of
// word seq%4096/64); a chunk without a key has no bit set. So the length of a
// queue, and what is left in it, is known at start without reading records,
// and a reader seeks over delivered records instead of crawling over their
// tombstones. Delivered records leave the disk by ranges of at least 4096 as low moves
// on, and one by one if they are far above low, as low may be stuck for days.
package store

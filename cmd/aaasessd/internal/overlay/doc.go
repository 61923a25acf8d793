// Package overlay keeps what SNMP managers change by SETs of CISCO-AAA-SERVER-MIB: the servers that
// they create and destroy (casConfigTable), and casServerStateChangeEnable.
//
//   - A [File] keeps both over restarts. It is one JSON object that is replaced as a whole: after a
//     crash it has its old or its new content. It has the keys of servers, so only its owner may
//     read it.
//   - [Merge] puts the servers on top of the configuration file, which never changes. Where the file
//     says otherwise, it counts, and the change of the manager is given up.
//   - A [Queue] passes changes to the goroutine that owns the configuration.
//
// Any goroutine may call the methods of a File and a Queue.
package overlay

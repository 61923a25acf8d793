// Package serverstats keeps the statistics of servers over restarts, numbers the servers, and makes the
// [servers.View] of them that network management reads.
//
// A file has the statistics and the numbers. It is saved every 10 seconds if something has changed,
// within a second if the state of a server has, and when the daemon ends. After an orderly end
// everything continues. After another end, up to 10 seconds of the counts are missing, and their
// discontinuity is at the start. A file that cannot be read is reported and set aside; the
// statistics then begin anew.
//
// The file has no times, because the clock of the host may step: it has how long ago things happened,
// and when that was. How much time has passed since is known from the uptime of the host, and after a
// reboot from its clock.
//
// Any goroutine may call the methods of a [Keeper], but only one may call SetServers, Run and Close.
package serverstats

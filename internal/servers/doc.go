// Package servers has what clients of RADIUS and TACACS+ know about servers, whatever the protocol:
// whether a server is alive ([Health]), which server of a group a request goes to ([Choose]), and
// the statistics (spec R43, R61). It only computes. It has no clock, no lock and no connection: the
// clients have them. It also has the words by which network management knows servers: [View] is what the
// MIB modules show, [Overlay] what managers have changed. [Histories] are the statistics of servers by
// their names, which outlive the servers themselves.
//
//	          criteria met                            HoldDown over,
//	.------.  --------------->  .-------------------.  a request sent .-------------------.
//	|  up  |                    | dead, held down   | --------------> | dead, being probed|
//	'------'  <---------------  '-------------------' <-------------- '-------------------'
//	   ^        a valid answer      for HoldDown         unanswered             |
//	   '------------------------------------------------------------------------'
//	                              a valid answer
//
// The criteria are those of the group whose request was not answered. By default: a request had all
// of its normal transmissions, and the server sent nothing valid since the first of them; otherwise
// [DeadCriteria]. A client may also find that a server answers but accepts nothing
// ([Health.Refused]), which counts as the criteria. While any server is up, requests skip the dead
// ones, except for one request at a time to each server whose hold-down is over: its probe. When
// all servers are dead, a request goes to the next one in order that may be probed, or else to the
// next one. For a group without a hold-down no server is dead.
//
// A RADIUS server has a Health for each of its two ports. When one becomes dead, the other one is
// suspected and dead too ([Health.Suspect]). A valid answer on one port makes that port up, and the
// other one if it was only suspected ([Health.Clear]): a server that is back is used for both purposes
// at once, but accounting that works does not hide that nobody answers logins.
package servers

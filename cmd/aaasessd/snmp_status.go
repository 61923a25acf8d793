package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"aaasess/agent/snmp/usm"
	"aaasess/agent/snmp/wire"
	"aaasess/cmd/internal/api"
)

// status returns the status of the responder, its targets, and who may ask.
func (s *snmpEngine) status() api.SNMPStatus {
	st := s.responder.Stats()
	boots, _ := s.usm.Engine().BootsTime()
	status := api.SNMPStatus{
		Listen: s.responder.Addrs(), EngineID: fmt.Sprintf("%x", s.usm.Engine().ID()), Boots: boots,
		Gets: st.Gets, GetNexts: st.GetNexts, GetBulks: st.GetBulks, Sets: st.Sets,
		Refused: api.SNMPRefused{
			InBadVersions: st.InBadVersions, InBadCommunityNames: st.InBadCommunityNames, InASNParseErrs: st.InASNParseErrs,
			UnknownSecurityModels: st.UnknownSecurityModels, InvalidMsgs: st.InvalidMsgs,
			UnknownPDUHandlers: st.UnknownPDUHandlers, UnknownContexts: st.UnknownContexts,
			UnsupportedSecLevels: st.USM.UnsupportedSecLevels, NotInTimeWindows: st.USM.NotInTimeWindows,
			UnknownUserNames: st.USM.UnknownUserNames, UnknownEngineIDs: st.USM.UnknownEngineIDs,
			WrongDigests: st.USM.WrongDigests, DecryptionErrors: st.USM.DecryptionErrors, Forbidden: st.Forbidden,
		},
		Dropped: api.SNMPDropped{
			Requests: st.OverRequests, ResponseOctets: st.OverResponseOctets,
			TotalResponseOctets: st.OverTotalResponseOctets, Failures: st.OverFailures,
			Sets: st.OverSets, TooBig: st.SilentDrops, NotSent: st.SendErrors,
		},
		Notifications: []api.NotificationStatus{}, Users: []api.SNMPUser{}, Communities: []api.SNMPCommunity{}, Problems: []api.SNMPProblem{},
	}
	for _, t := range s.notifier.Stats() {
		n := api.NotificationStatus{
			Name: t.Name, Waiting: t.Waiting, UnderWay: t.UnderWay, Sent: t.Sent, Retransmitted: t.Retransmitted,
			Acknowledged: t.Acknowledged, TimedOut: t.TimedOut, Refused: t.Refused, Dropped: t.Dropped,
			EngineID: fmt.Sprintf("%x", t.EngineID),
		}
		if t.LastError != nil {
			n.Error, n.ErrorAt = t.LastError.Error(), t.LastErrorAt.UTC().Format(time.RFC3339)
		}
		status.Notifications = append(status.Notifications, n)
	}
	s.access(&status)
	for _, p := range s.responder.Problems() {
		status.Problems = append(status.Problems, api.SNMPProblem{
			At: p.At.UTC(), From: p.From.String(), User: api.ValidText(p.User), What: strings.TrimPrefix(p.What, "snmp: "), Detail: api.ValidText(p.Detail),
		})
	}
	return status
}

// access adds who may ask. It has neither the names of communities nor keys.
func (s *snmpEngine) access(status *api.SNMPStatus) {
	policy := s.responder.Policy()
	group := func(name string, models ...wire.SecurityModel) string {
		for _, m := range policy.Members() {
			if m.SecurityName == name && slices.Contains(models, m.Model) {
				return m.Group
			}
		}
		return ""
	}
	for _, u := range s.usm.Users().All() {
		user := api.SNMPUser{Name: api.ValidText(u.Name), Group: group(u.Name, wire.ModelUSM)}
		if u.Auth != usm.NoAuth {
			user.Auth = u.Auth.String()
		}
		if u.Priv != usm.NoPriv {
			user.Priv = u.Priv.String()
		}
		status.Users = append(status.Users, user)
	}
	for _, c := range policy.Communities() {
		models := c.Models
		if len(models) == 0 {
			models = []wire.SecurityModel{wire.ModelV2c}
		}
		community := api.SNMPCommunity{SecurityName: api.ValidText(c.SecurityName), Group: group(c.SecurityName, models...), Versions: []string{}, From: []string{}}
		for _, m := range models {
			community.Versions = append(community.Versions, m.String())
		}
		for _, p := range c.From {
			community.From = append(community.From, p.String())
		}
		status.Communities = append(status.Communities, community)
	}
}

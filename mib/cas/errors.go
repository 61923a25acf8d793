package cas

import "errors"

// Why a SET fails, for the log.
var (
	errTwice      = errors.New("cas: one variable has two values")
	errActive     = errors.New("cas: an active row can only be destroyed")
	errExists     = errors.New("cas: the row exists, or its index belongs to a server without rows")
	errNoRow      = errors.New("cas: the row does not exist")
	errDestroyed  = errors.New("cas: columns of a row that is destroyed")
	errListed     = errors.New("cas: a group of the configuration file lists the server")
	errIncomplete = errors.New("cas: casAddress, or casAuthenPort of a TACACS+ server, is not set")
	errNoKey      = errors.New("cas: casKey is empty and the protocol has no global key")
	errAddress    = errors.New("cas: an active row of the protocol has the address")
	errFull       = errors.New("cas: the group of all servers of the protocol is full")
	errManyRows   = errors.New("cas: too many rows that are not active")
	errConflict   = errors.New("cas: another SET has changed the table since the test")
	errReadOnly   = errors.New("cas: the configuration does not allow SETs of the table any more")
	errBusy       = errors.New("cas: another SET takes too long")
	errChanged    = errors.New("cas: another SET has changed what was to be restored")
)

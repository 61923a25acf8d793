package usm

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"
	"crypto/subtle"
	"encoding/binary"
)

// saltLen is the length of msgPrivacyParameters in every privacy protocol, in octets.
const saltLen = 8

// Encrypt encrypts a scopedPDU in place for an engine with the given boots and time. It sets salt,
// the value of msgPrivacyParameters; no salt repeats. For DES the caller must have padded the
// octets to a multiple of eight. The keys must have a privacy protocol.
func (k *Keys) Encrypt(scoped []byte, boots, time int32, salt *[8]byte) {
	s := k.borrow()
	s.encrypt(scoped, boots, time, salt)
	s.release()
}

// Decrypt reverses Encrypt, in place. It returns [ErrDecryption] if the salt does not have eight
// octets, if the length is no multiple of a DES block, or if there is no privacy protocol. It does
// not detect a wrong key; the result is then random.
func (k *Keys) Decrypt(b []byte, boots, time int32, salt []byte) error {
	if k.priv == NoPriv {
		return ErrDecryption
	}
	s := k.borrow()
	err := s.decrypt(b, boots, time, salt)
	s.release()
	return err
}

func (s *scratch) encrypt(scoped []byte, boots, time int32, salt *[saltLen]byte) {
	k := s.keys
	n := k.salt.Add(1)
	if k.priv == DES {
		binary.BigEndian.PutUint32(salt[:], uint32(boots))
		binary.BigEndian.PutUint32(salt[4:], uint32(n))
		encryptCBC(k.block, s.desIV(salt[:]), scoped)
		return
	}
	binary.BigEndian.PutUint64(salt[:], n)
	s.encryptCFB(s.aesIV(boots, time, salt[:]), scoped)
}

func (s *scratch) decrypt(b []byte, boots, time int32, salt []byte) error {
	switch isDES := s.keys.priv == DES; {
	case len(salt) != saltLen || isDES && len(b)%des.BlockSize != 0:
		return ErrDecryption
	case isDES:
		s.decryptCBC(s.desIV(salt), b)
	default:
		s.decryptCFB(s.aesIV(boots, time, salt), b)
	}
	return nil
}

// aesIV returns the initialization vector of RFC 3826 section 3.1.2.1.
func (s *scratch) aesIV(boots, time int32, salt []byte) []byte {
	binary.BigEndian.PutUint32(s.iv[0:], uint32(boots))
	binary.BigEndian.PutUint32(s.iv[4:], uint32(time))
	copy(s.iv[8:], salt)
	return s.iv[:]
}

// desIV returns the initialization vector of RFC 3414 section 8.1.1.1.
func (s *scratch) desIV(salt []byte) []byte {
	iv := s.iv[:des.BlockSize]
	subtle.XORBytes(iv, s.keys.preIV[:], salt)
	return iv
}

// encryptCFB is CFB with segments of a whole block (NIST SP 800-38A section 6.3); the last segment
// may be shorter. crypto/cipher has CFB too, but allocates for each message and takes three times
// as long.
func (s *scratch) encryptCFB(iv, b []byte) {
	block, last, ks := s.keys.block, iv, s.ks[:]
	for len(b) >= aes.BlockSize {
		block.Encrypt(ks, last)
		last = b[:aes.BlockSize]
		subtle.XORBytes(last, last, ks)
		b = b[aes.BlockSize:]
	}
	if len(b) > 0 {
		block.Encrypt(ks, last)
		subtle.XORBytes(b, b, ks)
	}
}

// decryptCFB works from the last block to the first: each block needs the ciphertext of the
// previous one, which is still there then. No block depends on the result of another, so the
// processor works on several at once.
func (s *scratch) decryptCFB(iv, b []byte) {
	block, ks := s.keys.block, s.ks[:]
	for at := (len(b) - 1) / aes.BlockSize * aes.BlockSize; at > 0; at -= aes.BlockSize {
		block.Encrypt(ks, b[at-aes.BlockSize:at])
		part := b[at:min(at+aes.BlockSize, len(b))]
		subtle.XORBytes(part, part, ks)
	}
	block.Encrypt(ks, iv)
	part := b[:min(aes.BlockSize, len(b))]
	subtle.XORBytes(part, part, ks)
}

// encryptCBC is CBC (NIST SP 800-38A section 6.2) for whole blocks of DES.
func encryptCBC(block cipher.Block, iv, b []byte) {
	last := iv
	for ; len(b) > 0; b = b[des.BlockSize:] {
		part := b[:des.BlockSize]
		subtle.XORBytes(part, part, last)
		block.Encrypt(part, part)
		last = part
	}
}

// decryptCBC works from the last block to the first, as decryptCFB does.
func (s *scratch) decryptCBC(iv, b []byte) {
	block, plain := s.keys.block, s.ks[:des.BlockSize]
	for at := len(b) - des.BlockSize; at >= 0; at -= des.BlockSize {
		part := b[at : at+des.BlockSize]
		block.Decrypt(plain, part)
		last := iv
		if at > 0 {
			last = b[at-des.BlockSize : at]
		}
		subtle.XORBytes(part, plain, last)
	}
}

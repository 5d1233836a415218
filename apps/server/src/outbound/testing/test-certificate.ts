/**
 * A key that everybody knows and a certificate, signed by itself, for address.test and callback.test: for tests only.
 * Made by `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 36500 -subj /CN=address.test
 * -addext subjectAltName=DNS:address.test,DNS:callback.test`.
 */
export const TEST_KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgfKavNlnv4qhaW/yG
86M97FypjWBRhvm7gOXz6Y/qVOihRANCAAQyfx7vYEuNYjFuMWltBfBV31IBui0p
xaeA/WIpjrH1NCd/5ZfplzjgN8UNIgfWqXEkbnzJYJ0fL3ALEz0pMIrH
-----END PRIVATE KEY-----`

export const TEST_CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBrTCCAVOgAwIBAgIUBC5rmuyfgItn5bDPmofPzAwTB5MwCgYIKoZIzj0EAwIw
FzEVMBMGA1UEAwwMYWRkcmVzcy50ZXN0MCAXDTI2MTEyMTA4MzgzNFoYDzIxMjYx
MDI4MDgzODM0WjAXMRUwEwYDVQQDDAxhZGRyZXNzLnRlc3QwWTATBgcqhkjOPQIB
BggqhkjOPQMBBwNCAAQyfx7vYEuNYjFuMWltBfBV31IBui0pxaeA/WIpjrH1NCd/
5ZfplzjgN8UNIgfWqXEkbnzJYJ0fL3ALEz0pMIrHo3sweTAdBgNVHQ4EFgQUJrqQ
t6Kj7q8c29XLlMttZAJjfgwwHwYDVR0jBBgwFoAUJrqQt6Kj7q8c29XLlMttZAJj
fgwwDwYDVR0TAQH/BAUwAwEB/zAmBgNVHREEHzAdggxhZGRyZXNzLnRlc3SCDWNh
bGxiYWNrLnRlc3QwCgYIKoZIzj0EAwIDSAAwRQIgN0WlPLfcDf9T5K/vTxFi1Kmq
4JGn5jbtZqpgpRyBLJoCIQCcqr7hW0n9oLWTxZ3W6HElalZ53vdOY/P/WSA9zobV
nA==
-----END CERTIFICATE-----`

# SPDX-License-Identifier: Apache-2.0
"""Cases that print a line each, what they expect, and the exit code that they come to."""

import grpc

failures = 0


def case(name, run):
    global failures
    try:
        run()
        print(f"ok      {name}", flush=True)
    except Exception as error:  # a failed expectation or an unexpected RpcError
        failures += 1
        print(f"FAILED  {name}: {error!r}", flush=True)


def expect(actual, wanted):
    if actual != wanted:
        raise AssertionError(f"got {actual!r}, wanted {wanted!r}"[:600])


def fails(call, code, *words):
    """The call has to end with this code, and with all the words in its message."""
    try:
        call()
    except grpc.RpcError as error:
        expect(error.code(), code)
        for word in words:
            if word not in error.details():
                raise AssertionError(f"{word!r} is not in {error.details()!r}") from None
        return error
    raise AssertionError(f"succeeded, wanted {code}")


def exit_code():
    return 1 if failures else 0

"""Puts a program that speaks over its standard input and output behind a Unix socket: each connection gets a process.

Usage: bridge.py SOCKET LOG COMMAND…

Prints a line once it listens. The methods that clients name go to the log, one a line; `-- connected` goes before them.
"""

import json
import socket
import subprocess
import sys
import threading


def copy_answers(process, connection):
    """Passes on what the program says; ends the connection with it."""
    while chunk := process.stdout.read1(65536):
        try:
            connection.sendall(chunk)
        except OSError:
            break
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass


def copy_requests(connection, process, log):
    """Passes on what the client says; ends the program's input with it."""
    print("-- connected", file=log, flush=True)
    try:
        for line in connection.makefile("rb"):
            print(json.loads(line).get("method", "-- answered"), file=log, flush=True)
            process.stdin.write(line)
            process.stdin.flush()
    except OSError:
        pass
    try:
        process.stdin.close()
    except OSError:
        pass
    process.wait()


def main():
    path, log, *command = sys.argv[1:]
    with socket.socket(socket.AF_UNIX) as listener, open(log, "w", encoding="utf-8") as log:
        listener.bind(path)
        listener.listen()
        print("listening", flush=True)
        while True:
            connection, _ = listener.accept()
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            threading.Thread(target=copy_answers, args=(process, connection), daemon=True).start()
            threading.Thread(target=copy_requests, args=(connection, process, log), daemon=True).start()


main()

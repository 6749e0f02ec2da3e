"""A service manager for tests: keeps one service running and holds its descriptor, as systemd does.

usage: service_manager.py DIRECTORY COMMAND...

Protocol: sd_notify(3) and sd_listen_fds(3). A service that is killed is started again with the descriptor that it gave;
one that ends otherwise ends the manager. DIRECTORY has the number of its process, its notes, and the file ready, then
ready.2 and so on, when it says that it serves.
"""
import array
import os
import signal
import socket
import subprocess
import sys
import threading

FIRST = 3


class Manager:
    def __init__(self, directory, command):
        self.directory, self.command = directory, command
        os.mkdir(directory)
        self.address = os.path.join(directory, "notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.address)
        self.held = None  # the name and number of the descriptor
        self.starts = 0

    def path(self, name):
        return os.path.join(self.directory, name)

    def listen(self):
        while True:
            text, control, _, _ = self.socket.recvmsg(65536, socket.CMSG_SPACE(4))
            lines = text.decode().split("\n")
            with open(self.path("notes"), "a", encoding="utf-8") as notes:
                notes.write(text.decode() + "\n")
            if "FDSTORE=1" in lines:
                numbers = array.array("i")
                numbers.frombytes(control[0][2][:4])
                if self.held:
                    os.close(self.held[1])
                self.held = [line[7:] for line in lines if line.startswith("FDNAME=")][0], numbers[0]
            if "FDSTOREREMOVE=1" in lines and self.held:
                os.close(self.held[1])
                self.held = None
            if "READY=1" in lines:
                name = "ready" if self.starts == 1 else f"ready.{self.starts}"
                with open(self.path(name), "w", encoding="utf-8"):
                    pass

    def start(self):
        environment = dict(os.environ, NOTIFY_SOCKET=self.address)
        script, numbers = 'exec "$@"', ()
        if self.held:
            environment.update(LISTEN_FDS="1", LISTEN_FDNAMES=self.held[0])
            script, numbers = f'export LISTEN_PID=$$; exec {FIRST}<&{self.held[1]} {self.held[1]}<&-; exec "$@"', (self.held[1],)
        self.starts += 1
        child = subprocess.Popen(["bash", "-c", script, "service", *self.command], env=environment, pass_fds=numbers)
        with open(self.path("process.new"), "w", encoding="ascii") as file:
            file.write(str(child.pid))
        os.rename(self.path("process.new"), self.path("process"))
        return child.wait()

    def run(self):
        threading.Thread(target=self.listen, daemon=True).start()
        while True:
            code = self.start()
            if code != -signal.SIGKILL:
                return code


if __name__ == "__main__":
    sys.exit(Manager(sys.argv[1], sys.argv[2:]).run())

/*
 * The yardstick of "scripts/bench mount": serves one file from memory over libfuse's low-level interface.
 *
 * usage: fuse_memory IMAGE MOUNTPOINT
 *
 * The image is read into blocks of 4 MiB and shown as MOUNTPOINT/image; reads are answered from there by four threads,
 * without a copy in this program, as the mount of Benji answers what is in its cache. It stays in the foreground,
 * prints "ready" when it serves, and ends at SIGTERM.
 */
#define FUSE_USE_VERSION 312

#include <errno.h>
#include <fcntl.h>
#include <fuse_lowlevel.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK_SIZE ((size_t)4 << 20)
#define IMAGE_INODE 2
#define LONG_TIME 3600.0
#define MOST_IOVECS 3 /* 1 MiB touches at most two blocks */

static char **blocks;
static off_t image_size;

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static void load(const char *path)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    struct stat status;
    if (file < 0 || fstat(file, &status) < 0)
        fail(path);
    image_size = status.st_size;
    size_t count = ((size_t)image_size + BLOCK_SIZE - 1) / BLOCK_SIZE;
    blocks = calloc(count ? count : 1, sizeof *blocks);
    if (!blocks)
        fail("calloc");
    for (size_t index = 0; index < count; index++) {
        if (posix_memalign((void **)&blocks[index], 4096, BLOCK_SIZE))
            fail("posix_memalign");
        size_t filled = 0;
        while (filled < BLOCK_SIZE) {
            ssize_t got = read(file, blocks[index] + filled, BLOCK_SIZE - filled);
            if (got < 0)
                fail(path);
            if (got == 0)
                break;
            filled += (size_t)got;
        }
    }
    close(file);
}

static int describe(fuse_ino_t inode, struct stat *status)
{
    memset(status, 0, sizeof *status);
    status->st_ino = inode;
    status->st_uid = getuid();
    status->st_gid = getgid();
    if (inode == FUSE_ROOT_ID) {
        status->st_mode = S_IFDIR | 0700;
        status->st_nlink = 2;
        return 0;
    }
    if (inode != IMAGE_INODE)
        return ENOENT;
    status->st_mode = S_IFREG | 0400;
    status->st_nlink = 1;
    status->st_size = image_size;
    status->st_blocks = (image_size + 511) / 512;
    status->st_blksize = 4096;
    return 0;
}

static void on_init(void *data, struct fuse_conn_info *connection)
{
    (void)data;
    connection->max_write = 1 << 20;
    connection->max_readahead = 1 << 20;
    connection->max_background = 64;
}

static void on_lookup(fuse_req_t request, fuse_ino_t parent, const char *name)
{
    struct fuse_entry_param entry = { .ino = IMAGE_INODE, .attr_timeout = LONG_TIME, .entry_timeout = LONG_TIME };
    if (parent != FUSE_ROOT_ID || strcmp(name, "image") != 0) {
        fuse_reply_err(request, ENOENT);
        return;
    }
    describe(IMAGE_INODE, &entry.attr);
    fuse_reply_entry(request, &entry);
}

static void on_getattr(fuse_req_t request, fuse_ino_t inode, struct fuse_file_info *file)
{
    struct stat status;
    int error = describe(inode, &status);
    (void)file;
    if (error)
        fuse_reply_err(request, error);
    else
        fuse_reply_attr(request, &status, LONG_TIME);
}

static void on_open(fuse_req_t request, fuse_ino_t inode, struct fuse_file_info *file)
{
    if (inode != IMAGE_INODE) {
        fuse_reply_err(request, EISDIR);
        return;
    }
    if ((file->flags & O_ACCMODE) != O_RDONLY) {
        fuse_reply_err(request, EROFS);
        return;
    }
    file->keep_cache = 1;
    fuse_reply_open(request, file);
}

static void on_read(fuse_req_t request, fuse_ino_t inode, size_t size, off_t offset, struct fuse_file_info *file)
{
    struct iovec pieces[MOST_IOVECS];
    int count = 0;
    (void)inode;
    (void)file;
    if (offset >= image_size) {
        fuse_reply_buf(request, NULL, 0);
        return;
    }
    if (size > (size_t)(image_size - offset))
        size = (size_t)(image_size - offset);
    while (size > 0) {
        size_t inside = (size_t)offset % BLOCK_SIZE;
        size_t length = size < BLOCK_SIZE - inside ? size : BLOCK_SIZE - inside;
        if (count == MOST_IOVECS) {
            fuse_reply_err(request, EIO);
            return;
        }
        pieces[count++] = (struct iovec){ blocks[(size_t)offset / BLOCK_SIZE] + inside, length };
        offset += (off_t)length;
        size -= length;
    }
    fuse_reply_iov(request, pieces, count);
}

static const struct fuse_lowlevel_ops operations = {
    .init = on_init,
    .lookup = on_lookup,
    .getattr = on_getattr,
    .open = on_open,
    .read = on_read,
};

int main(int count, char **words)
{
    if (count != 3) {
        fprintf(stderr, "usage: fuse_memory IMAGE MOUNTPOINT\n");
        return 64;
    }
    load(words[1]);

    char *options[] = { words[0], "-o", "ro,default_permissions,fsname=fuse_memory", NULL };
    struct fuse_args arguments = FUSE_ARGS_INIT(3, options);
    struct fuse_session *session = fuse_session_new(&arguments, &operations, sizeof operations, NULL);
    if (!session || fuse_set_signal_handlers(session) || fuse_session_mount(session, words[2]))
        return 1;
    printf("ready\n");
    fflush(stdout);

    struct fuse_loop_config *loop = fuse_loop_cfg_create();
    fuse_loop_cfg_set_clone_fd(loop, 0);
    fuse_loop_cfg_set_idle_threads(loop, 4);
    fuse_loop_cfg_set_max_threads(loop, 4);
    int result = fuse_session_loop_mt(session, loop);
    fuse_loop_cfg_destroy(loop);
    fuse_session_unmount(session);
    fuse_remove_signal_handlers(session);
    fuse_session_destroy(session);
    fuse_opt_free_args(&arguments);
    return result < 0 ? 1 : 0;
}

using Benji.Store.Catalogs;
using Benji.Store.Model;
using Microsoft.Extensions.Logging;

namespace Benji.Store.Operations.Running;

/// <summary>Every message that the store logs, with its stable event id.</summary>
internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Information, "Backing up {Source} ({Size} bytes) to {Volume}, base version {BaseVersion}, "
        + "at most {MemoryBound} bytes of buffers")]
    public static partial void BackupBegins(
        ILogger logger, string source, long size, string volume, string baseVersion, long memoryBound);

    [LoggerMessage(2, LogLevel.Debug, "Published version {Version}: {BytesRead} bytes read, {BytesStored} stored")]
    public static partial void VersionPublished(ILogger logger, VersionName version, long bytesRead, long bytesStored);

    [LoggerMessage(3, LogLevel.Information, "Finished what a dead run left: {Kind} of {Version}")]
    public static partial void IntentFinished(ILogger logger, IntentKind kind, VersionName version);

    [LoggerMessage(4, LogLevel.Information, "Removed version {Version}")]
    public static partial void VersionRemoved(ILogger logger, VersionName version);

    [LoggerMessage(5, LogLevel.Information, "Restoring {Version} ({Size} bytes) to {Target}")]
    public static partial void RestoreBegins(ILogger logger, VersionName version, long size, string target);

    [LoggerMessage(6, LogLevel.Error, "Block {Block} of {Version} is damaged: {Reason}")]
    public static partial void BlockDamaged(ILogger logger, BlockId block, VersionName version, string reason);

    [LoggerMessage(7, LogLevel.Warning, "Version {Version} is now invalid: it uses a damaged block")]
    public static partial void VersionInvalidated(ILogger logger, VersionName version);

    [LoggerMessage(8, LogLevel.Information, "Version {Version} is valid again")]
    public static partial void VersionValidated(ILogger logger, VersionName version);

    [LoggerMessage(9, LogLevel.Trace, "Block {Index}: {Kind} {Block}")]
    public static partial void BlockBackedUp(ILogger logger, long index, string kind, BlockId block);

    [LoggerMessage(10, LogLevel.Warning, "Base version {BaseVersion} is invalid; its damaged blocks are read from the source")]
    public static partial void BaseVersionInvalid(ILogger logger, VersionName baseVersion);

    [LoggerMessage(11, LogLevel.Warning, "The hints list no change: the new version equals {BaseVersion}")]
    public static partial void HintsEmpty(ILogger logger, string baseVersion);

    [LoggerMessage(12, LogLevel.Warning, "{Object} was damaged or missing in storage {Storage} and was written again")]
    public static partial void ObjectRepaired(ILogger logger, string @object, string storage);

    [LoggerMessage(13, LogLevel.Warning, "The intent of version {Version} stays until the next command forgets it")]
    public static partial void IntentStays(ILogger logger, VersionName version, Exception failure);

    [LoggerMessage(14, LogLevel.Warning, "What a dead run left cannot be finished now: {Kind} of {Version} in storage {Storage}")]
    public static partial void IntentUnfinished(
        ILogger logger, IntentKind kind, VersionName version, string storage, Exception failure);

    [LoggerMessage(15, LogLevel.Warning, "{Reason}")]
    public static partial void AgeInDoubt(ILogger logger, string reason);

    [LoggerMessage(16, LogLevel.Warning, "{Object} is damaged or missing in storage {Storage} and is not written again")]
    public static partial void ObjectLeftDamaged(ILogger logger, string @object, string storage);

    [LoggerMessage(31, LogLevel.Warning, "{Object} is damaged or missing in storage {Storage} and could not be written again: {Reason}")]
    public static partial void ObjectNotMended(ILogger logger, string @object, string storage, string reason);

    [LoggerMessage(17, LogLevel.Warning, "Old age marks stay in storage {Storage} until the next cleanup")]
    public static partial void AgeMarksStay(ILogger logger, string storage, Exception failure);

    [LoggerMessage(18, LogLevel.Warning, "Version {Version} is invalid: blocks that it uses were found damaged while it was made")]
    public static partial void VersionUsesNewDamage(ILogger logger, VersionName version);

    [LoggerMessage(19, LogLevel.Warning, "{Blocks} blocks of {Version} are not in the storage, and are marked as damaged")]
    public static partial void DoubtfulBlocksLost(ILogger logger, int blocks, VersionName version);

    [LoggerMessage(20, LogLevel.Information, "Cleaned up: {Deleted} objects deleted ({Bytes} bytes), {Waiting} waiting, "
        + "{Orphans} orphans found")]
    public static partial void CleanupDone(ILogger logger, long deleted, long bytes, long waiting, long orphans);

    [LoggerMessage(21, LogLevel.Information, "Rebuilt the catalog {Catalog}: {Versions} versions, {Blocks} blocks, "
        + "{Problems} problems")]
    public static partial void CatalogRebuilt(ILogger logger, string catalog, long versions, long blocks, int problems);

    [LoggerMessage(22, LogLevel.Warning, "Storage {Storage} was not cleaned up: {Reason}")]
    public static partial void StorageNotCleaned(ILogger logger, string storage, string reason);

    [LoggerMessage(23, LogLevel.Warning, "Storage {Storage} is missing or empty, and was passed over; is {Path} mounted?")]
    public static partial void StoragePassedOver(ILogger logger, string storage, string path);

    [LoggerMessage(24, LogLevel.Warning, "The removal of {Version} is pending: the next command that changes something finishes it, as soon "
        + "as storage {Storage} lets it")]
    public static partial void RemovalPending(ILogger logger, VersionName version, string storage);

    [LoggerMessage(25, LogLevel.Warning, "Not removed, and no removal is pending: {Versions}")]
    public static partial void VersionsStay(ILogger logger, string versions);

    [LoggerMessage(26, LogLevel.Warning, "{Finding} is not recorded: {Reason}")]
    public static partial void NotRecorded(ILogger logger, string finding, string reason);

    [LoggerMessage(27, LogLevel.Warning, "Version {Version} was removed while it is read, and is not read any further")]
    public static partial void ReadVersionGone(ILogger logger, VersionName version);

    [LoggerMessage(28, LogLevel.Warning, "Nobody can tell whether version {Version} is still there while it is read: {Reason}")]
    public static partial void ReadVersionUnknown(ILogger logger, VersionName version, string reason);

    [LoggerMessage(29, LogLevel.Warning, "Nothing is deleted in storage {Storage}: a process of this host reads the store without "
        + "a lease, as it cannot write the catalog. The next cleanup after its end deletes what waits")]
    public static partial void ReaderHoldsBack(ILogger logger, string storage);

    [LoggerMessage(57, LogLevel.Warning, "Version {Version} is dated {Date:yyyy-MM-dd HH:mm:ss}Z and not {Now:yyyy-MM-dd HH:mm:ss}Z, as the clock "
        + "says: the volume has a version that is younger than that. If the clock is right, it was ahead when that one was made")]
    public static partial void DateBent(ILogger logger, VersionName version, DateTimeOffset date, DateTimeOffset now);

    [LoggerMessage(58, LogLevel.Warning, "Storage {Storage} has not answered for {Patience} s; what dead runs left "
        + "there stays for the next command")]
    public static partial void StorageHangs(ILogger logger, string storage, double patience);

    [LoggerMessage(59, LogLevel.Warning, "Waiting: {Holder}")]
    public static partial void Waiting(ILogger logger, string holder);

    [LoggerMessage(30, LogLevel.Warning, "Hints without a base version: all that they do not list becomes a hole in the new "
        + "version; '--base-version {Newest}' keeps it as it was there")]
    public static partial void HintsWithoutBase(ILogger logger, VersionName newest);

    [LoggerMessage(40, LogLevel.Error, "Block {Block} is damaged, met in the image of {Version}: {Reason} "
        + "'benji deep-scrub' finds the versions that use it")]
    public static partial void ImageDamaged(ILogger logger, BlockId block, VersionName version, string reason);

    [LoggerMessage(50, LogLevel.Information, "Promoted overlay {Overlay} to version {Version}")]
    public static partial void OverlayPromoted(ILogger logger, string overlay, VersionName version);

    [LoggerMessage(51, LogLevel.Information, "Removed overlay {Overlay}")]
    public static partial void OverlayDiscarded(ILogger logger, string overlay);

    [LoggerMessage(52, LogLevel.Warning, "Overlay {Overlay} was not in the catalog and is there again, from its file")]
    public static partial void OverlayAdopted(ILogger logger, string overlay);

    [LoggerMessage(53, LogLevel.Information, "The overlay file {File} is left alone: {Reason}")]
    public static partial void OverlayLeftAlone(ILogger logger, string file, string reason);

    [LoggerMessage(54, LogLevel.Warning, "Overlay {Overlay} is a version now, but its file stays until the next command")]
    public static partial void OverlayFileStays(ILogger logger, string overlay, Exception failure);

    [LoggerMessage(55, LogLevel.Warning, "The overlays cannot be looked after: {Reason}")]
    public static partial void OverlaysUnusable(ILogger logger, string reason);

    [LoggerMessage(56, LogLevel.Warning, "The overlay file {File} cannot be dealt with now: {Reason}")]
    public static partial void OverlayUnfinished(ILogger logger, string file, string reason);
}

using Benji.Mount.Tree;

namespace Benji.Mount.Session;

/// <summary>How a connection is served.</summary>
/// <param name="Access">Who owns the files.</param>
/// <param name="IsReadOnly">True when overlays cannot be made, written or removed.</param>
/// <param name="Readers">Threads that read requests.</param>
/// <param name="PollInterval">Time between two looks for changes.</param>
internal sealed record SessionOptions(NodeAccess Access, bool IsReadOnly, int Readers, TimeSpan PollInterval);

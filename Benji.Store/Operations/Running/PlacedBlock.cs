using Benji.Store.Model;

namespace Benji.Store.Operations.Running;

/// <summary>A block and the index at which it stands.</summary>
internal readonly record struct PlacedBlock(long Index, BlockId Id);

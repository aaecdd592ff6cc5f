"""The room of training: ``pretrain`` and ``export`` on megatron-core.

``pretrain`` and ``export`` (the stage functions) are light. They start processes: ``rank`` trains, ``exporter``
translates the weights, ``comparer`` loads them with transformers. Only those import torch.
"""

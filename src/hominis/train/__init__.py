"""The room of training: ``pretrain``, ``decay``, ``adopt`` and ``export`` on megatron-core.

The stage functions are light. They start processes: ``rank`` trains, ``exporter`` and ``adopter`` translate weights to
and from Hugging Face's, ``comparer`` loads them with transformers. Only those import torch.
"""

import type { PageTexts } from './en.ts';
import { setup } from './setup-fr.ts';

export const fr: PageTexts = {
  signIn: 'Se connecter',
  emailAtWork: 'Votre adresse e-mail professionnelle',
  continue: 'Continuer',
  useShortName: 'Utiliser le nom court de votre organisation',
  shortName: 'Le nom court de votre organisation',
  nothingThere: 'Il n’y a pas de connexion sous ce nom. Vérifiez l’orthographe, ou demandez à votre administrateur.',
  nobodyKnows:
    'Il n’y a pas de connexion pour cette adresse. Vérifiez l’orthographe, ou demandez à votre administrateur.',
  signsYouInAt: 'Votre organisation vous connecte sur {host}.',
  linkTitle: 'Associer cette connexion ?',
  linkMeans:
    'Vous êtes connecté en tant que {account}. Désormais, quiconque se connecte chez {connection} en tant que {person} sera vous ici aussi.',
  linkOnly: 'Associez-la seulement si c’est bien vous.',
  link: 'Associer',
  linkNot: 'Ne pas associer',
  signOutTitle: 'Se déconnecter ?',
  signOutMeans: 'Cela met fin à votre session ici et dans les applications qui l’utilisent.',
  signOut: 'Se déconnecter',
  staySignedIn: 'Rester connecté',
  signedOut: 'Vous êtes déconnecté',
  closeWindow: 'Vous pouvez fermer cette fenêtre.',
  deviceTitle: 'Connecter un appareil',
  deviceCode: 'Le code que l’appareil affiche',
  deviceUnknown: 'Ce code est inconnu, ou ne vaut plus. Regardez l’appareil : il en affiche peut-être un nouveau.',
  deviceConfirmTitle: 'Est-ce votre appareil ?',
  deviceConfirmMeans: '{application} sur un appareil veut être connecté en votre nom. L’appareil affiche ce code :',
  deviceWarning:
    'Continuez seulement si cet appareil est devant vous. Personne qui vous écrit ou vous appelle n’a besoin de ce code.',
  deviceConfirm: 'C’est le mien, se connecter',
  deviceRefuse: 'Ce n’est pas le mien',
  deviceDone: 'L’appareil est connecté',
  deviceStopped: 'L’appareil n’a pas été connecté.',
  requestTitle: 'Cette demande n’a pas pu être traitée',
  requestMeans: 'Votre application a demandé quelque chose qui n’est pas possible ici. Vous n’avez rien fait de mal.',
  requestAction:
    'Retournez dans votre application et recommencez. Si cela se reproduit, signalez-le à ceux qui s’en occupent.',
  technical: 'Pour ceux qui s’occupent de l’application',
  ...setup,
};
